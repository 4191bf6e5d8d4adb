"""What a letter is sent as: under one token, inside SQS's limits, in batches that SQS takes."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contract.dead_letter import Reason
from contract.message_attributes import MAX_ATTRIBUTES, MAX_BYTES, string
from courier.letters import MOVED_BY_SQS, Letter
from courier.sending import MOVED_BY_SQS_REASON, NotDone, Outgoing, batches, resent
from tests.letters import NAMES, NOW, TEXTS, VALUES, as_the_function_sees, letter


def sent(given_letter: Letter) -> Outgoing:
    offer = resent(given_letter)
    assert isinstance(offer, Outgoing)
    return offer


def test_a_letter_of_the_function_is_replayed_as_it_is() -> None:
    one = letter(
        "body", ClientToken="t", Reason="NotFound", Detail="d", DeadLetteredAt="2026-11-22T00:00:00+00:00", own="x"
    )
    assert sent(one) == Outgoing("id-1", "body", one.attributes)


def test_a_letter_that_sqs_moved_gets_its_id_as_token_and_counts_as_maybe_sent() -> None:
    message = as_the_function_sees(sent(letter(own="x")))
    assert message.client_token() == "id-1"
    assert message.may_have_been_sent()


def test_a_letter_that_sqs_moved_keeps_its_producers_token_and_counts_as_maybe_sent() -> None:
    message = as_the_function_sees(sent(letter(ClientToken="producer-1")))
    assert message.client_token() == "producer-1"
    assert message.may_have_been_sent()


def test_a_token_used_by_another_reply_stays_suspect() -> None:
    assert not as_the_function_sees(sent(letter(ClientToken="t", Reason="TokenAlreadyUsed"))).may_have_been_sent()


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
    assert all(name in message.attributes["Detail"]["StringValue"] for name in own if name not in kept)


def test_a_letter_without_room_for_its_token_stays() -> None:
    offer = resent(letter("b" * MAX_BYTES))
    assert isinstance(offer, NotDone)
    assert "over SQS's 1 MiB" in offer.why


def test_a_letter_moved_by_sqs_has_none_of_the_functions_reasons() -> None:
    assert MOVED_BY_SQS not in {reason.value for reason in Reason}
    assert MOVED_BY_SQS_REASON in Reason


def test_batches_keep_order_and_both_limits_of_sqs() -> None:
    sizes = [MAX_BYTES, 1, MAX_BYTES - 1, 1, *[10] * 25]
    messages = [Outgoing(str(n), "b" * size, {}) for n, size in enumerate(sizes)]
    made = list(batches(messages))
    assert [message for batch in made for message in batch] == messages
    assert all(len(batch) <= 10 and sum(message.size for message in batch) <= MAX_BYTES for batch in made)
    assert [len(batch) for batch in made] == [1, 2, 10, 10, 6]


def test_a_size_is_what_sqs_counts() -> None:
    assert Outgoing("", "é", {"né": string("ü"), "b": {"DataType": "Binary", "BinaryValue": b"12"}}).size == 2 + 11 + 9
