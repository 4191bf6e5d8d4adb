from typing import Any

import pytest

from contract.client_token import ClientTokenError, client_token
from contract.message_attributes import string
from handler.message import Message
from tests.samples import record, string_attribute


def token_of(**attributes: Any) -> str:
    return client_token("id-1", Message.from_record(record(**attributes)).attributes)


def test_without_the_attribute_the_message_id_is_the_token() -> None:
    assert token_of(Other="x") == "id-1"


def test_the_first_id_is_the_token_unless_the_producer_has_one() -> None:
    assert token_of(MessageId="first-id") == "first-id"
    assert token_of(MessageId="first-id", ClientToken="t") == "t"


@pytest.mark.parametrize("token", ["t", "The First Id ", "t" * 500])
def test_the_attribute_is_the_token_whatever_the_message_id(token: str) -> None:
    assert token_of(ClientToken=token) == token


def test_a_labelled_string_is_a_string() -> None:
    assert token_of(ClientToken=string_attribute("t") | {"dataType": "String.uuid"}) == "t"


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
def test_an_attribute_that_is_not_a_token_is_never_replaced_by_another_one(attribute: Any, what_is_right: str) -> None:
    for name in ("ClientToken", "MessageId"):
        with pytest.raises(ClientTokenError, match=what_is_right):
            token_of(**{name: attribute})


@pytest.mark.parametrize("name", ["Clienttoken", "clientToken", "CLIENTTOKEN"])
def test_a_misspelt_token_is_not_replaced_by_the_message_id(name: str) -> None:
    with pytest.raises(ClientTokenError, match="write the name exactly so"):
        client_token("id-1", {name: string("t")})
    assert client_token("id-1", {name: string("t"), "ClientToken": string("right")}) == "right"
