"""What the local SQS refuses: at each limit, and one step beyond it."""

import base64
import json
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from local.moto.sqs_gate import SqsError, SqsGate, batch_error, message_bytes, message_error

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

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
def test_sqs_takes_a_message_at_its_limits(taken: dict[str, Any]) -> None:
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
def test_sqs_refuses_a_message_beyond_them(refused: dict[str, Any], error: str, says: str) -> None:
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


# The gate in front of moto


class Service:
    """Stands for moto: takes what gets through to it, and remembers that."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.gate = SqsGate(self.answer)

    def answer(self, environ: "WSGIEnvironment", start_response: Any) -> Any:
        content = json.loads(Request(environ).get_data())
        self.taken.append(content)
        successful = [{"Id": entry["Id"]} for entry in content.get("Entries", [])]
        return Response(json.dumps({"Successful": successful, "Failed": []}))(environ, start_response)

    def call(self, target: str, content: object) -> Response:
        body = json.dumps(content).encode()
        headers = [("X-Amz-Target", target)]
        environ = EnvironBuilder(method="POST", headers=headers, input_stream=BytesIO(body)).get_environ()
        return Response.from_app(self.gate, environ | {"CONTENT_LENGTH": str(len(body))})


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.mark.parametrize(
    ("operation", "content"),
    [
        ("SendMessage", message("")),
        ("SendMessageBatch", {"Entries": [{"Id": "1", **message("b" * MIB)}, {"Id": "2", **message("b")}]}),
    ],
)
def test_a_request_that_sqs_refuses_does_not_get_through(service: Service, operation: str, content: object) -> None:
    answer = service.call(f"AmazonSQS.{operation}", content)

    assert answer.status_code == 400
    assert service.taken == []


def test_what_sqs_takes_and_what_is_not_for_sqs_gets_through_untouched(service: Service) -> None:
    requests = [
        ("AmazonSQS.SendMessage", message("b")),
        ("AmazonSQS.DeleteMessage", {"ReceiptHandle": "r"}),
        ("Other.SendMessage", message("")),
        ("", {"any": "thing"}),
    ]
    for target, content in requests:
        assert service.call(target, content).status_code == 200
    assert service.taken == [content for _, content in requests]


def test_the_good_entries_of_a_batch_get_through_and_the_others_fail_one_by_one(service: Service) -> None:
    entries = [{"Id": "good", **message("b")}, {"Id": "empty", **message("")}, {"Id": "nul", **message("\0")}]

    answer = json.loads(service.call("AmazonSQS.SendMessageBatch", {"Entries": entries}).get_data())

    assert service.taken == [{"Entries": entries[:1]}]
    assert answer["Successful"] == [{"Id": "good"}]
    assert [(each["Id"], each["Code"], each["SenderFault"]) for each in answer["Failed"]] == [
        ("empty", "MissingParameter", True),
        ("nul", "InvalidMessageContents", True),
    ]


def test_a_batch_without_a_good_entry_is_answered_without_asking(service: Service) -> None:
    entries = [{"Id": "empty", **message("")}]

    answer = json.loads(service.call("AmazonSQS.SendMessageBatch", {"Entries": entries}).get_data())

    assert (answer["Successful"], [each["Id"] for each in answer["Failed"]]) == ([], ["empty"])
    assert service.taken == []
