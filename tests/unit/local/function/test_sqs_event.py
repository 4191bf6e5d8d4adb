import json
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.function.runtime_api import Failed, Returned
from local.function.sqs_event import batches, deletable, event_of, record_of

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

QUEUE = "arn:aws:sqs:eu-central-1:123456789012:replies"
SYSTEM_ATTRIBUTES = {
    "ApproximateReceiveCount": "1",
    "SentTimestamp": "1523232000000",
    "SenderId": "123456789012",
    "ApproximateFirstReceiveTimestamp": "1523232000001",
}


def message(**more: object) -> "MessageTypeDef":
    received = {
        "MessageId": "059f36b4",
        "ReceiptHandle": "AQEBw",
        "Body": "Hello",
        "MD5OfBody": "e4e68fb7",
        "Attributes": SYSTEM_ATTRIBUTES,
    }
    return cast("MessageTypeDef", received | more)


def test_a_record_has_the_form_that_lambda_documents() -> None:
    assert record_of(message(), QUEUE) == {
        "messageId": "059f36b4",
        "receiptHandle": "AQEBw",
        "body": "Hello",
        "attributes": SYSTEM_ATTRIBUTES,
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7",
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE,
        "awsRegion": "eu-central-1",
    }


def test_message_attributes_have_lambdas_form_with_binary_ones_in_base64() -> None:
    attributes = {
        "ClientToken": {"DataType": "String", "StringValue": "t-1"},
        "Blob": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    record = record_of(message(MessageAttributes=attributes, MD5OfMessageAttributes="00484c68"), QUEUE)
    lists: dict[str, list[str]] = {"stringListValues": [], "binaryListValues": []}
    assert record["md5OfMessageAttributes"] == "00484c68"
    assert record["messageAttributes"] == {
        "ClientToken": {"stringValue": "t-1", "dataType": "String", **lists},
        "Blob": {"binaryValue": "AP8=", "dataType": "Binary", **lists},
    }


@given(bodies=st.lists(st.text(max_size=60), max_size=20), limit=st.integers(60, 400))
def test_batches_keep_every_record_in_order_within_the_payload_limit(bodies: list[str], limit: int) -> None:
    records = [{"body": body} for body in bodies]
    split = list(batches(records, limit))
    assert [record for batch in split for record in batch] == records
    assert all(len(batch) == 1 or len(json.dumps(event_of(batch))) <= limit for batch in split)


def test_batches_are_as_large_as_a_payload() -> None:
    records = [{"body": "x" * 600_000}] * 10
    assert [len(batch) for batch in batches(records)] == [10]
    records = [{"body": "x" * 1_000_000}] * 10
    assert [len(batch) for batch in batches(records)] == [6, 4]


BATCH = [{"messageId": "a"}, {"messageId": "b"}, {"messageId": "c"}]


@pytest.mark.parametrize(
    "response", ["null", "{}", '{"batchItemFailures": []}', '{"batchItemFailures": null}', '{"statusCode": 200}']
)
def test_a_response_without_failures_is_full_success(response: str) -> None:
    assert deletable(BATCH, Returned(response), reports_item_failures=True) == BATCH


def test_lambda_deletes_the_records_that_are_not_reported() -> None:
    response = '{"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "c"}]}'
    assert deletable(BATCH, Returned(response), reports_item_failures=True) == [{"messageId": "b"}]


@pytest.mark.parametrize(
    "response",
    [
        "",
        "{",
        "[]",
        "true",
        '"ok"',
        '{"batchItemFailures": {}}',
        '{"batchItemFailures": "a"}',
        '{"batchItemFailures": ["a"]}',
        '{"batchItemFailures": [{}]}',
        '{"batchItemFailures": [{"itemIdentifier": ""}]}',
        '{"batchItemFailures": [{"itemIdentifier": null}]}',
        '{"batchItemFailures": [{"itemIdentifier": 1}]}',
        '{"batchItemFailures": [{"itemIdentifier": ["a"]}]}',
        '{"batchItemFailures": [{"messageId": "a"}]}',
        '{"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "unknown"}]}',
        "[" * 100_000,
    ],
)
def test_a_response_that_cannot_be_read_fails_the_whole_batch(response: str) -> None:
    assert deletable(BATCH, Returned(response), reports_item_failures=True) == []


@pytest.mark.parametrize("reports_item_failures", [True, False])
def test_an_error_fails_the_whole_batch(reports_item_failures: bool) -> None:
    outcome = Failed("Sandbox.Timedout", "Task timed out")
    assert deletable(BATCH, outcome, reports_item_failures=reports_item_failures) == []


def test_without_report_batch_item_failures_any_response_is_success() -> None:
    response = '{"batchItemFailures": [{"itemIdentifier": "a"}]}'
    assert deletable(BATCH, Returned(response), reports_item_failures=False) == BATCH
