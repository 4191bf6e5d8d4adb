"""What the local SQS refuses: at each limit, and one step beyond it. tests/system/test_sqs_faults.py has batches."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from local.moto.sqs_gate import SqsError, batch_error, message_bytes, message_error

MIB = 1_048_576


def message(body: str = "b", attributes: Mapping[str, object] | None = None) -> dict[str, Any]:
    return {"MessageBody": body, "MessageAttributes": attributes or {}}


def string(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def binary(value: bytes) -> dict[str, str]:
    return {"DataType": "Binary", "BinaryValue": base64.b64encode(value).decode()}


def code(error: SqsError | None) -> str | None:
    return error.code if error else None


# One message


@pytest.mark.parametrize(
    "taken",
    [
        {"MessageBody": "a body alone"},
        message("b" * MIB),
        message("b" * (MIB - len("nString1")), {"n": string("1")}),
        message("\t\n\r ~\ud7ff\ue000\ufffd\U00010000\U0010ffff"),
        message(attributes={f"a{n}": string("v") for n in range(10)}),
        message(attributes={"n": binary(b"\0\xff")}),
    ],
)
def test_sqs_accepts_a_message_at_its_limits(taken: dict[str, Any]) -> None:
    assert message_error(taken) is None


@pytest.mark.parametrize(
    ("refused", "error", "says"),
    [
        (message(""), "MissingParameter", "MessageBody"),
        (message("b" * (MIB + 1)), "InvalidParameterValue", "shorter than 1048576 bytes"),
        (message("é" * (MIB // 2) + "b"), "InvalidParameterValue", "shorter than"),
        (message("b" * (MIB - len("nString")), {"n": string("1")}), "InvalidParameterValue", "shorter than"),
        (message("a\0"), "InvalidMessageContents", "Invalid characters"),
        (message("a\x1f"), "InvalidMessageContents", "Invalid characters"),
        (message("a\ud800"), "InvalidMessageContents", "Invalid characters"),
        (message("a\uffff"), "InvalidMessageContents", "Invalid characters"),
        (message(attributes={"n": string("a\x0b")}), "InvalidParameterValue", "Invalid characters"),
        (message(attributes={f"a{n}": string("v") for n in range(11)}), "InvalidParameterValue", "[11] exceeds"),
        (message(attributes={"n": string("")}), "InvalidParameterValue", "non-empty value of type 'String'"),
        (
            message(attributes={"n": {"DataType": "Number"}}),
            "InvalidParameterValue",
            "non-empty value of type 'Number'",
        ),
        (message(attributes={"n": binary(b"")}), "InvalidParameterValue", "non-empty value of type 'Binary'"),
    ],
)
def test_sqs_refuses_a_message_beyond_its_limits(refused: dict[str, Any], error: str, says: str) -> None:
    refusal = message_error(refused)

    assert refusal is not None
    assert (refusal.code, refusal.status) == (error, 400)
    assert says in refusal.message


def test_bytes_are_counted_as_sqs_counts_them() -> None:
    counted = message("é", {"n": string("ü"), "bb": binary(b"\0\1\2")})

    assert message_bytes(counted) == 2 + len("nString") + 2 + len("bbBinary") + 3


# Batches


def test_the_messages_of_a_batch_share_one_mebibyte() -> None:
    half = message("b" * (MIB // 2))

    assert batch_error({"Entries": [half, half]}) is None
    assert code(batch_error({"Entries": [half, half, message("b")]})) == "AWS.SimpleQueueService.BatchRequestTooLong"
