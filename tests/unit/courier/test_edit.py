"""The token under which an edited letter is sent."""

import json
from dataclasses import replace

import pytest

from contract.client_token import iso
from contract.dead_letter import Reason
from contract.message_attributes import MAX_BYTES, string
from courier.dead_letters import Letter
from courier.edit import edited_message, fetch_and_hold, format_reply, next_token
from courier.output import Failure
from courier.sending import Outgoing
from handler.message import Message
from tests.fakes.sqs import letters
from tests.letters import NOW, account_on, as_the_function_sees, letter


def received(one: Letter, *, new_token: bool = False, force: bool = False) -> Message:
    message = edited_message(one, "mended", NOW, new_token=new_token, force=force)
    assert isinstance(message, Outgoing)
    assert message.body == "mended"
    return as_the_function_sees(message)


@pytest.mark.parametrize("reason", [*Reason, "AReasonOfTheFuture", ""])
def test_an_edit_keeps_the_token_whatever_the_reason(reason: str) -> None:
    why = {"Reason": reason} if reason else {}
    assert received(letter(ClientToken="t", **why)).client_token() == "t"
    assert received(letter(MessageId="first", **why)).client_token() == "first"
    assert received(letter(**why)).client_token() == "id-1"


def test_a_new_token_is_the_operators_choice_and_counts_as_never_tried() -> None:
    old = letter(ClientToken="t", Reason="NotFound", FirstTriedAt=iso(NOW - 30 * 86_400), own="x")
    message = received(old, new_token=True)
    assert (message.client_token(), message.tried_since) == ("t.edit-1", None)
    assert message.attributes["own"] == string("x")
    assert received(letter(), new_token=True).client_token() == "id-1.edit-1"


def test_new_tokens_count_on_and_stay_within_the_length_of_a_token() -> None:
    assert next_token("t.edit-9") == "t.edit-10"
    assert len(next_token("t" * 500)) == 64


def test_an_edit_done_again_in_other_words_has_the_same_token() -> None:
    one = letter(ClientToken="t", Reason="NotFound")
    for new_token in (False, True):
        first, second = (edited_message(one, text, NOW, new_token=new_token) for text in ("one", "other"))
        assert isinstance(first, Outgoing)
        assert isinstance(second, Outgoing)
        assert first.attributes == second.attributes


def test_an_unusable_token_is_dropped_so_that_the_first_id_is_the_token() -> None:
    unusable = {"DataType": "Binary", "BinaryValue": b"x"}
    assert received(letter(ClientToken=unusable, MessageId="first", Reason="x")).client_token() == "first"
    assert received(letter(ClientToken=unusable, MessageId=unusable, Reason="x")).client_token() == "id-1"


def test_a_new_token_for_an_unusable_one_is_made_from_the_first_id() -> None:
    unusable = {"DataType": "Binary", "BinaryValue": b"x"}
    one = letter(ClientToken=unusable, MessageId="first", Reason="x")
    for copy in (one, replace(one, id="after-a-renewal")):
        assert received(copy, new_token=True).client_token() == "first.edit-1"


def test_the_function_sends_the_edit_of_an_expired_letter_only_if_forced() -> None:
    old = letter(ClientToken="t", Reason="x", FirstTriedAt=iso(NOW - 8 * 86_400))
    assert received(old).tried_since == NOW - 8 * 86_400
    assert received(old, force=True).tried_since == NOW


def test_an_edit_can_make_a_letter_small_enough() -> None:
    assert isinstance(edited_message(letter("b" * MAX_BYTES), "small", NOW), Outgoing)
    assert isinstance(edited_message(letter("b"), "b" * MAX_BYTES, NOW), Failure)


def test_a_body_that_no_file_can_hold_is_edited_as_it_came() -> None:
    body = json.dumps({"a": "\ud800"})
    assert format_reply(body) == body


def test_a_letter_that_is_edited_is_held_for_an_hour_and_the_others_are_given_back() -> None:
    queues = letters(3)
    account = account_on(queues)
    letter = fetch_and_hold(account, f"{1:036}")
    assert queues.hidden_for == [3_600]
    assert list(queues.hidden) == [letter.id]
