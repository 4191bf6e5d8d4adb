"""A reply keeps its token through every replay, edit, export and import, so that Connect sends it once."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.edit import REFUSED_BY_CONNECT, edited, token_for_edit
from courier.letter_json import ImportLineError, exported, line, summary, whole
from courier.letters import MOVED_BY_SQS, OURS, Letter, received, string
from courier.replay import MOVED_BY_SQS_REASON, outgoing, too_old
from courier.sending import MAX_ATTRIBUTES, MAX_BYTES, Left, Outgoing
from handler import dead_letter
from handler.client_token import client_token, may_have_been_sent
from handler.message import Message
from handler.verdict import Reason
from local.function.sqs_event import attribute_of
from tests.samples import PERSONAL, reply

NOW = 1_800_000_000.0
TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1, max_size=20
)
VALUES = st.one_of(
    TEXTS.map(string), st.binary(min_size=1, max_size=20).map(lambda b: {"DataType": "Binary", "BinaryValue": b})
)
NAMES = st.text(st.sampled_from("abcdef-_"), min_size=1, max_size=10)


def letter(body: str = "{}", sent_at: float = NOW, **attributes: Any) -> Letter:
    values = {name: string(value) if isinstance(value, str) else value for name, value in attributes.items()}
    return Letter("id-1", "handle", body, values, sent_at)


def sent(given_letter: Letter) -> Outgoing:
    offer = outgoing(given_letter)
    assert isinstance(offer, Outgoing)
    return offer


def as_the_function_sees(message: Outgoing) -> Message:
    """The message at its first receive, under a new id."""
    attributes = {name: attribute_of(value) for name, value in message.attributes.items()}  # type: ignore[arg-type]  # what is sent is what is received
    for value in attributes.values():
        if isinstance(value.get("binaryValue"), bytes):
            value["binaryValue"] = base64.b64encode(value["binaryValue"]).decode()
    return Message("id-2", "handle", message.body, attributes, 1, NOW, NOW)


# Replay


def test_a_letter_of_the_function_is_replayed_as_it_is() -> None:
    one = letter(
        "body", ClientToken="t", Reason="NotFound", Detail="d", DeadLetteredAt="2026-11-22T00:00:00+00:00", own="x"
    )
    assert sent(one) == Outgoing("id-1", "body", one.attributes)


def test_a_letter_that_sqs_moved_gets_its_id_as_token_and_counts_as_maybe_sent() -> None:
    message = as_the_function_sees(sent(letter(own="x")))
    assert client_token(message) == "id-1"
    assert may_have_been_sent(message)


def test_a_letter_that_sqs_moved_keeps_its_producers_token_and_counts_as_maybe_sent() -> None:
    message = as_the_function_sees(sent(letter(ClientToken="producer-1")))
    assert client_token(message) == "producer-1"
    assert may_have_been_sent(message)


def test_a_token_used_by_another_reply_stays_suspect() -> None:
    assert not may_have_been_sent(as_the_function_sees(sent(letter(ClientToken="t", Reason="TokenAlreadyUsed"))))


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
    assert client_token(as_the_function_sees(message)) == "id-1"
    kept = [name for name in own if name in message.attributes]
    assert all(message.attributes[name] == own[name] for name in kept)
    assert all(name in message.attributes["Detail"]["StringValue"] for name in own if name not in kept)


def test_a_letter_without_room_for_its_token_stays() -> None:
    offer = outgoing(letter("b" * MAX_BYTES))
    assert isinstance(offer, Left)
    assert "over SQS's 1 MiB" in offer.why


def test_a_letter_is_too_old_seven_days_after_the_earlier_of_its_times() -> None:
    week = 7 * 86_400
    assert not too_old(letter(sent_at=NOW), NOW + week)
    assert too_old(letter(sent_at=NOW), NOW + week + 1)
    assert too_old(letter(sent_at=NOW + week, DeadLetteredAt="2027-01-15T07:59:59+00:00"), NOW + week)
    assert not too_old(letter(sent_at=NOW, DeadLetteredAt="no time"), NOW + week)


def test_the_functions_own_names_are_meant() -> None:
    assert OURS == dead_letter.OWN
    assert {*REFUSED_BY_CONNECT, MOVED_BY_SQS_REASON} <= {reason.value for reason in Reason}
    assert MOVED_BY_SQS not in {reason.value for reason in Reason}


# Edit


@pytest.mark.parametrize(
    ("reason", "token"),
    [
        ("InvalidRequest", "t.edit-1"),
        ("NotFound", "t.edit-1"),
        ("Refused", "t.edit-1"),
        ("RetriesExhausted", "t"),
        ("InvalidReply", "t"),
        ("TokenAlreadyUsed", "t"),
        ("AReasonOfTheFuture", "t"),
    ],
)
def test_only_a_reply_that_connect_refused_gets_another_token(reason: str, token: str) -> None:
    message = edited(letter(ClientToken="t", Reason=reason), "mended")
    assert isinstance(message, Outgoing)
    assert message.attributes["ClientToken"] == string(token)
    assert message.body == "mended"


def test_a_letter_that_sqs_moved_keeps_its_token_in_an_edit() -> None:
    assert token_for_edit(letter()).token == "id-1"


def test_edits_of_edits_count_on_and_stay_within_the_length_of_a_token() -> None:
    assert token_for_edit(letter(ClientToken="t.edit-9", Reason="NotFound")).token == "t.edit-10"
    longest = token_for_edit(letter(ClientToken="t" * 500, Reason="NotFound")).token
    assert len(longest) == 64


def test_an_edit_done_again_in_other_words_has_the_same_token() -> None:
    one = letter(ClientToken="t", Reason="NotFound")
    first, second = edited(one, "one"), edited(one, "other")
    assert isinstance(first, Outgoing)
    assert isinstance(second, Outgoing)
    assert first.attributes == second.attributes


def test_an_unusable_token_is_replaced_by_one_that_is_the_letters_own() -> None:
    def token(body: str, value: bytes) -> str:
        unusable = {"DataType": "Binary", "BinaryValue": value}
        return token_for_edit(letter(body, ClientToken=unusable, Reason="InvalidClientToken")).token

    assert token("a", b"x") == token("a", b"x")
    assert len({token("a", b"x"), token("b", b"x"), token("a", b"y")}) == 3


def test_a_token_of_the_operators_own_is_not_taken_for_used_by_this_reply() -> None:
    message = edited(letter(ClientToken="t", Reason="TokenAlreadyUsed", Detail="d", own="x"), "mended", "mine")
    assert isinstance(message, Outgoing)
    assert message.attributes == {"own": string("x"), "ClientToken": string("mine")}
    assert not may_have_been_sent(as_the_function_sees(message))


def test_an_edit_can_make_a_letter_small_enough() -> None:
    assert isinstance(edited(letter("b" * MAX_BYTES), "small"), Outgoing)
    assert isinstance(edited(letter("b"), "b" * MAX_BYTES), Left)


# Export and import


@given(TEXTS, st.dictionaries(NAMES, VALUES, max_size=5), st.booleans())
def test_an_export_comes_back_bit_for_bit_under_the_token_it_had(
    body: str, own: dict[str, Any], own_token: bool
) -> None:
    attributes = own | ({"ClientToken": string("t")} if own_token else {})
    one = Letter("id-1", "handle", body, attributes, NOW)
    text = line(whole(one))
    assert text.isascii()
    assert "\n" not in text
    back = exported(text.encode())
    assert back.body == body
    assert back.attributes == attributes | ({} if own_token else {"ClientToken": string("id-1")})


@pytest.mark.parametrize(
    "text",
    [
        b"{}", b"[]", b"1", b"{", b"\xff", b'{"id": "", "body": "b", "attributes": {}}',
        b'{"id": "i", "body": "", "attributes": {}}', b'{"id": "i", "body": "b", "attributes": []}',
        b'{"id": "i", "body": "b", "attributes": {"a": 1}}',
        b'{"id": "i", "body": "b", "attributes": {"a": {"DataType": "Binary", "BinaryValue": "?"}}}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_export_is_told_and_not_quoted(text: bytes) -> None:
    with pytest.raises(ImportLineError) as told:
        exported(text)
    assert len(str(told.value)) < 100


def test_a_list_shows_identifiers_and_nothing_else_of_a_reply() -> None:
    one = letter(
        json.dumps(reply(ContactId="ada@customer.example")), ClientToken="ada@customer.example", Reason="\x1b[2J"
    )
    form = summary(one)
    assert (form["contact_id"], form["client_token"], form["reason"]) == (None, None, None)
    assert not any(
        text in line(summary(letter(json.dumps(reply()), Reason="NotFound", Detail="d"))) for text in PERSONAL
    )


def test_what_is_received_is_what_was_sent() -> None:
    values: Any = {
        "a": {"DataType": "Binary", "BinaryValue": b"\0\xff"},
        "b": {"DataType": "Number", "StringValue": "1"},
    }
    message: Any = {"MessageId": "i", "ReceiptHandle": "h", "Body": "b", "Attributes": {"SentTimestamp": "1500"},
                    "MessageAttributes": values}  # fmt: skip
    one = received(message)
    assert (one.attributes, one.sent_at, one.reason) == (values, 1.5, MOVED_BY_SQS)
