import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.message_attributes import string
from courier.letter_json import ImportLineError, json_line, read_exported, summary, with_body
from courier.letters import Letter
from tests.letters import NAMES, NOW, TEXTS, VALUES, letter
from tests.samples import PERSONAL, reply


@given(TEXTS, st.dictionaries(NAMES, VALUES, max_size=5), st.booleans())
def test_an_export_comes_back_bit_for_bit_under_the_token_it_had(
    body: str, own: dict[str, Any], own_token: bool
) -> None:
    attributes = own | ({"ClientToken": string("t")} if own_token else {})
    one = Letter("id-1", "handle", body, attributes, NOW)
    text = json_line(with_body(one))
    assert text.isascii()
    assert "\n" not in text
    back = read_exported(text.encode())
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
def test_what_is_not_an_export_is_told_and_not_quoted(text: bytes) -> None:
    with pytest.raises(ImportLineError) as told:
        read_exported(text)
    assert len(str(told.value)) < 100


def test_a_list_shows_identifiers_and_nothing_else_of_a_reply() -> None:
    one = letter(
        json.dumps(reply(ContactId="ada@customer.example")), ClientToken="ada@customer.example", Reason="\x1b[2J"
    )
    form = summary(one)
    assert (form["contact_id"], form["client_token"], form["reason"]) == (None, None, None)
    assert not any(
        text in json_line(summary(letter(json.dumps(reply()), Reason="NotFound", Detail="d"))) for text in PERSONAL
    )


def test_a_letter_of_ten_attributes_can_be_imported() -> None:
    ten = {f"a{n}": string("x") for n in range(10)}
    back = read_exported(json_line(with_body(Letter("id-1", "handle", "b", ten, NOW))).encode())
    assert len(back.attributes) == 10
    assert back.attributes["ClientToken"] == string("id-1")
    assert "a8, a9" in back.attributes["Detail"]["StringValue"]
