import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.message_attributes import string
from contract.payload import (
    MAX_PAYLOAD_BYTES,
    POINTERS,
    PayloadError,
    Pointer,
    decode_payload,
    parse_pointer,
    pointer_message,
)

MEMBERS = {"s3BucketName": "bucket", "s3Key": "key"}
BODY = json.dumps([POINTERS[0], MEMBERS])


def sized(size: str = "5", name: str = "ExtendedPayloadSize") -> Any:
    return {name: {"DataType": "Number", "StringValue": size}}


@pytest.mark.parametrize("name", ["ExtendedPayloadSize", "SQSLargePayloadSize"])
@pytest.mark.parametrize("kind", POINTERS)
def test_a_pointer_of_every_extended_client_is_read(kind: str, name: str) -> None:
    assert parse_pointer(json.dumps([kind, MEMBERS]), sized(name=name)) == Pointer("bucket", "key", 5)


def test_what_is_written_is_read() -> None:
    body, attributes = pointer_message("bucket", "a/b\u00fc", 31)
    assert parse_pointer(body, attributes) == Pointer("bucket", "a/b\u00fc", 31)


@pytest.mark.parametrize(
    "body", ["{}", "", "null", "[]", "[1]", '["other", {}]', "[" * 20_000, '["' + POINTERS[0], "[" * 9]
)
def test_another_body_is_not_a_pointer(body: str) -> None:
    assert parse_pointer(body, {}) is None


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        ("{}", sized()),  # the attribute alone
        (BODY, {}),  # the body alone
        (BODY, sized("-1")),
        (BODY, sized("1" * 5_000)),
        (BODY, sized("٣")),
        (BODY, sized("")),
        (BODY, sized() | sized(name="SQSLargePayloadSize")),
        (BODY, {"ExtendedPayloadSize": {"DataType": "Binary", "BinaryValue": b"5"}}),
        (json.dumps([POINTERS[0], {}]), sized()),
        (json.dumps([POINTERS[0], {"s3BucketName": "", "s3Key": "k"}]), sized()),
        (json.dumps([POINTERS[0], {"s3BucketName": "b", "s3Key": 1}]), sized()),
    ],
)
def test_half_a_pointer_is_refused(body: str, attributes: Any) -> None:
    with pytest.raises(PayloadError):
        parse_pointer(body, attributes)


@given(st.text(), st.dictionaries(st.sampled_from(["ExtendedPayloadSize", "other"]), st.text().map(string)))
def test_any_body_is_a_pointer_or_not_or_half_a_one(body: str, attributes: Any) -> None:
    try:
        assert parse_pointer(body, attributes) is None
    except PayloadError:
        assert "ExtendedPayloadSize" in attributes


def test_the_longest_text_that_connect_takes_fits_however_it_is_written() -> None:
    body = json.dumps({"EmailMessage": {"RawMessage": {"Body": "\u00e9" * 5_242_880}}})
    assert len(body) < MAX_PAYLOAD_BYTES
    assert decode_payload(body.encode()) == body


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        BODY.encode(),
        b"[" + b"[]," * 500_000 + b"[]]",  # 80 bytes of memory for each of them
        b'["a"' + b',"a"' * 500_000 + b"]",
    ],
)
def test_what_cannot_be_a_reply_is_refused_before_it_is_read_as_json(content: bytes) -> None:
    with pytest.raises(PayloadError):
        decode_payload(content)


@pytest.mark.parametrize("text", ['"' + '\\"' * 1_000_000, '"' + "\\" * 999_999, '"' * 1_000_000])
def test_texts_that_do_not_end_are_looked_at_once(text: str) -> None:
    assert decode_payload(text.encode()) == text
