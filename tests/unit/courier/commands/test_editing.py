"""The token under which an edited letter is sent."""

import pytest

from contract.message_attributes import MAX_BYTES, string
from courier.commands.editing import edited, token_for_edit
from courier.sending import NotDone, Outgoing
from tests.letters import as_the_function_sees, letter


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
    assert not as_the_function_sees(message).may_have_been_sent()


def test_an_edit_can_make_a_letter_small_enough() -> None:
    assert isinstance(edited(letter("b" * MAX_BYTES), "small"), Outgoing)
    assert isinstance(edited(letter("b"), "b" * MAX_BYTES), NotDone)
