import math
from typing import Any

import pytest

from contract.client_token import (
    FIRST_TRIED_AT,
    MEMORY_SECONDS,
    ClientTokenError,
    client_token,
    first_tried_at,
    iso,
    parse_iso,
    token_expired,
)
from contract.message_attributes import string
from handler.message import Message
from tests.samples import record, string_attribute

NOW = 1_800_000_000.0


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
    with pytest.raises(ClientTokenError, match="write it exactly as ClientToken"):
        client_token("id-1", {name: string("t")})
    assert client_token("id-1", {name: string("t"), "ClientToken": string("right")}) == "right"


def tried(text: str) -> float | None:
    return first_tried_at({FIRST_TRIED_AT: string(text)}, NOW)


def test_a_token_is_forgotten_after_seven_days_and_one_that_was_never_used_is_not() -> None:
    assert not token_expired(NOW, NOW + MEMORY_SECONDS)
    assert token_expired(NOW, NOW + MEMORY_SECONDS + 0.001)
    assert not token_expired(None, NOW)


def test_the_first_try_is_what_the_attribute_says_and_not_later_than_this_life() -> None:
    assert first_tried_at({}, NOW) is None
    assert tried(iso(NOW - 5)) == NOW - 5
    assert tried(iso(NOW + 5)) == NOW
    assert tried("9999-12-31T23:59:59+00:00") == NOW


@pytest.mark.parametrize(
    "text",
    ["yesterday", "", "2026-11-24T10:00:00", "2026-11-24", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59-23:59Z"],
)
def test_a_time_that_cannot_be_read_counts_as_long_ago(text: str) -> None:
    assert parse_iso(text) is None
    assert tried(text) == -math.inf
    assert token_expired(tried(text), NOW)


def test_any_time_of_the_calendar_can_be_read_and_written() -> None:
    for text in ("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59+23:59"):
        seconds = parse_iso(text)
        assert seconds is None or iso(min(seconds, NOW))
