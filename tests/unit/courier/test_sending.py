"""What a letter is sent as: under one token, inside SQS's limits, in batches that SQS takes."""

import signal
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.client_token import iso
from contract.dead_letter import DETAIL, Reason
from contract.message_attributes import MAX_ATTRIBUTES, MAX_BYTES, string
from courier.dead_letters import MOVED_BY_SQS, Letter
from courier.journal import Action
from courier.output import Failure
from courier.sending import (
    Outgoing,
    group_by_size,
    message_for_dead_letter_queue,
    message_for_reply_queue,
    send_messages,
)
from tests.fakes.sqs import FakeSqs
from tests.letters import NAMES, NOW, TEXTS, VALUES, account_on, as_the_function_sees, letter


def sent(given_letter: Letter) -> Outgoing:
    offer = message_for_reply_queue(given_letter, NOW)
    assert isinstance(offer, Outgoing)
    return offer


def test_a_replay_keeps_token_first_try_group_and_trace() -> None:
    system = {"MessageGroupId": "tenant-1", "AWSTraceHeader": "Root=1-2-3"}
    one = letter("body", ClientToken="t", MessageId="first", FirstTriedAt=iso(NOW - 60), Reason="NotFound", own="x")
    kept = {name: value for name, value in one.attributes.items() if not name.endswith("Reason")}
    assert sent(replace(one, system_attributes=system)) == Outgoing("id-1", "body", kept, system)


def test_a_letter_that_sqs_moved_gets_its_id_as_token_and_its_send_time_as_first_try() -> None:
    message = as_the_function_sees(sent(letter(own="x")))
    assert (message.client_token(), message.tried_since) == ("id-1", NOW)
    producers = as_the_function_sees(sent(letter(ClientToken="producer-1")))
    assert (producers.client_token(), producers.tried_since) == ("producer-1", NOW)


def test_nothing_that_is_sent_again_is_in_its_first_life() -> None:
    for one in (letter(), letter(Reason="NotFound"), letter(ClientToken="t"), letter(MessageId="first")):
        assert not as_the_function_sees(sent(one)).token_is_message_id


def test_force_counts_an_expired_letter_as_first_tried_now_and_changes_no_other() -> None:
    week_ago, day_ago, now = iso(NOW - 8 * 86_400), iso(NOW - 86_400), iso(NOW)
    for first_tried_at, force, expected in (
        (week_ago, True, now),
        (week_ago, False, week_ago),
        (day_ago, True, day_ago),
    ):
        forced_before = letter(Reason="x", FirstTriedAt=first_tried_at, ForcedAt=week_ago)
        message = message_for_reply_queue(forced_before, NOW, force=force)
        assert isinstance(message, Outgoing)
        assert message.attributes["ReplyCourier.FirstTriedAt"] == string(expected)
        assert "ReplyCourier.ForcedAt" not in message.attributes


def test_force_replays_an_expired_letter_that_sqs_moved() -> None:
    message = message_for_reply_queue(letter(sent_at=NOW - 8 * 86_400), NOW, force=True)
    assert isinstance(message, Outgoing)
    assert message.attributes["ReplyCourier.FirstTriedAt"] == string(iso(NOW))


def test_an_unusable_token_is_not_replaced_by_a_replay() -> None:
    unusable = {"DataType": "Binary", "BinaryValue": b"x"}
    one = letter(ClientToken=unusable, Reason="InvalidClientToken")
    assert one.token is None
    assert sent(one).attributes["ClientToken"] == unusable


@given(st.dictionaries(NAMES, VALUES, max_size=10), TEXTS)
def test_a_replay_stays_inside_sqs_limits_and_loses_neither_body_nor_token(own: dict[str, Any], body: str) -> None:
    message = sent(Letter("id-1", "handle", body, own, NOW))
    assert message.body == body
    assert len(message.attributes) <= MAX_ATTRIBUTES
    assert as_the_function_sees(message).client_token() == "id-1"
    kept = [name for name in own if name in message.attributes]
    assert all(message.attributes[name] == own[name] for name in kept)
    assert all(name in message.attributes[DETAIL]["StringValue"] for name in own if name not in kept)


@given(st.dictionaries(NAMES, VALUES, max_size=8), TEXTS, st.booleans())
def test_a_renewal_changes_neither_token_nor_reason_nor_first_try(own: dict[str, Any], body: str, moved: bool) -> None:
    ours = {} if moved else {"ReplyCourier.Reason": string("NotFound"), "ReplyCourier.MessageId": string("first")}
    before = Letter("id-1", "handle", body, own | ours, NOW, {"MessageGroupId": "g"})
    offer = message_for_dead_letter_queue(before)
    assert isinstance(offer, Outgoing)
    after = Letter("id-2", "handle", offer.body, offer.attributes, NOW + 86_400, offer.system_attributes)
    assert (after.token, after.reason, after.first_tried_at) == (before.token, before.reason, before.first_tried_at)
    assert (after.body, after.system_attributes) == (body, {"MessageGroupId": "g"})
    assert own.items() <= after.attributes.items()


def test_a_letter_without_room_for_its_token_stays() -> None:
    full = letter("b" * MAX_BYTES)
    ten = letter("b", **{f"a{n}": "x" for n in range(10)})
    for offer in (
        message_for_reply_queue(full, NOW),
        message_for_dead_letter_queue(full),
        message_for_dead_letter_queue(ten),
    ):
        assert isinstance(offer, Failure)


def test_a_letter_moved_by_sqs_has_none_of_the_functions_reasons() -> None:
    assert MOVED_BY_SQS not in {reason.value for reason in Reason}


def test_batches_keep_order_and_both_limits_of_sqs() -> None:
    sizes = [MAX_BYTES, 1, MAX_BYTES - 1, 1, *[10] * 25]
    messages = [Outgoing(str(n), "b" * size, {}) for n, size in enumerate(sizes)]
    made = list(group_by_size(messages))
    assert [message for batch in made for message in batch] == messages
    assert all(len(batch) <= 10 and sum(message.size for message in batch) <= MAX_BYTES for batch in made)
    assert [len(batch) for batch in made] == [1, 2, 10, 10, 6]


def test_a_size_is_what_sqs_counts() -> None:
    assert Outgoing("", "é", {"né": string("ü"), "b": {"DataType": "Binary", "BinaryValue": b"12"}}).size == 2 + 11 + 9


def test_a_letter_that_sqs_moved_in_a_later_life_has_no_reason_after_its_renewal() -> None:
    redriven = {"ReplyCourier.Reason": string("NotFound"), DETAIL: string("x"), "ReplyCourier.MessageId": string("a")}
    before = Letter("id-1", "handle", "{}", redriven, NOW, was_moved=True)
    offer = message_for_dead_letter_queue(before)
    assert isinstance(offer, Outgoing)
    after = Letter("id-2", "handle", offer.body, offer.attributes, NOW)
    assert (after.reason, after.token) == (before.reason, before.token) == (MOVED_BY_SQS, "a")


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_in_a_send_lets_the_batch_end_and_counts_it(capsys: pytest.CaptureFixture[str]) -> None:
    queues, action = FakeSqs(), Action(lambda *_: None)
    send = queues.send_message_batch

    def interrupted(**request: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return send(**request)

    queues.send_message_batch = interrupted  # type: ignore[method-assign]
    messages = [Outgoing(f"line {n}", "b", {}) for n in range(1, 21)]
    with pytest.raises(KeyboardInterrupt):
        send_messages(account_on(queues), "replies", messages, "imported", action)
    assert len(queues.queues["replies"]) == 10
    assert action.outcome == {"imported": 10, "not_done": 0}
    assert "stopped: everything up to line 10 is imported." in capsys.readouterr().err
