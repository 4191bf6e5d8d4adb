from typing import Any

import pytest

from handler.client_token import ClientTokenError, client_token, may_have_been_sent
from handler.message import Message
from tests.samples import record, string_attribute


def message(**attributes: Any) -> Message:
    return Message.from_record(record(message_id="id-1", **attributes))


def test_without_the_attribute_the_message_id_is_the_token() -> None:
    assert client_token(message(Other="x")) == "id-1"


@pytest.mark.parametrize("token", ["t", "the-first-id", "t" * 500])
def test_the_attribute_is_the_token_whatever_the_message_id(token: str) -> None:
    assert client_token(message(ClientToken=token)) == token


def test_a_labelled_string_is_a_string() -> None:
    assert client_token(message(ClientToken=string_attribute("t") | {"dataType": "String.uuid"})) == "t"


@pytest.mark.parametrize(
    ("attribute", "what_is_right"),
    [
        (string_attribute(""), "1 to 500 characters"),
        (string_attribute("t" * 501), "1 to 500 characters"),
        (string_attribute("7") | {"dataType": "Number"}, "type String"),
        ({"binaryValue": "dA==", "dataType": "Binary"}, "type String"),
        ({"dataType": "String"}, "type String"),
    ],
)
def test_an_attribute_that_is_no_token_is_never_replaced_by_another_one(attribute: Any, what_is_right: str) -> None:
    with pytest.raises(ClientTokenError, match=what_is_right):
        client_token(message(ClientToken=attribute))


def again(count: int, **attributes: Any) -> Message:
    return Message.from_record(record(receive_count=count, **attributes))


@pytest.mark.parametrize(
    ("message", "possible"),
    [
        (again(1), True),  # the token is the message's own id: nobody else has it
        (again(1, ClientToken="order-7"), False),  # a producer's, seen first: another reply may have used it
        (again(2, ClientToken="order-7"), True),  # an earlier receive of this message may have sent it
        (again(1, ClientToken="id-0", Reason="RetriesExhausted"), True),  # a dead letter that comes back
        (again(1, ClientToken="order-7", Reason="TokenAlreadyUsed"), False),  # and one for which nothing is new
    ],
    ids=["own id", "producer's", "received before", "redriven", "redriven conflict"],
)
def test_whether_a_used_token_can_only_have_been_used_by_this_reply(message: Message, *, possible: bool) -> None:
    assert may_have_been_sent(message) is possible
