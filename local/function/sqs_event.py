"""Turns SQS messages into events and reads the function's response, as Lambda does. Pure functions."""

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from local.function.runtime_api import Failed, Returned

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef, MessageTypeDef

type Record = dict[str, Any]

PAYLOAD_LIMIT = 6 * 1024 * 1024
"""The largest event in bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def record_of(message: "MessageTypeDef", queue_arn: str) -> Record:
    """Return a received message as a record of an event.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event
    """
    attributes = message.get("MessageAttributes", {})
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message["Attributes"]),
        "messageAttributes": {name: attribute_of(value) for name, value in attributes.items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
    if attributes:
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def attribute_of(value: "MessageAttributeValueOutputTypeDef") -> dict[str, Any]:
    """Return a message attribute in Lambda's form, with binary values in base64."""
    attribute: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        attribute["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        attribute["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return attribute


def batches(records: Iterable[Record], limit: int = PAYLOAD_LIMIT) -> Iterator[list[Record]]:
    """Split records into batches, in order. The event of a batch has at most ``limit`` bytes."""
    empty = len(json.dumps(event_of([])))
    batch: list[Record] = []
    size = empty
    for record in records:
        added = len(json.dumps(record)) + len(", ")
        if batch and size + added > limit:
            yield batch
            batch, size = [], empty
        batch.append(record)
        size += added
    if batch:
        yield batch


def event_of(batch: Sequence[Record]) -> dict[str, object]:
    """Return the event of a batch."""
    return {"Records": batch}


def deletable(batch: Sequence[Record], outcome: Returned | Failed, *, reports_item_failures: bool) -> list[Record]:
    """Return the records that Lambda deletes after an invocation. SQS delivers the others again.

    Args:
        batch: The records in the event.
        outcome: How the invocation ended.
        reports_item_failures: Whether the mapping has ReportBatchItemFailures.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
    """
    if isinstance(outcome, Failed):
        return []
    if not reports_item_failures:
        return list(batch)
    failed = reported_failures(outcome.payload)
    if failed is None or not failed <= {record["messageId"] for record in batch}:
        return []
    return [record for record in batch if record["messageId"] not in failed]


def reported_failures(payload: str) -> set[str] | None:
    """Return the message ids that a response reports as failed, or None if the response is invalid."""
    try:
        match json.loads(payload):
            case None | {"batchItemFailures": None}:
                return set()
            case {"batchItemFailures": [*failures]}:
                identifiers = [failure["itemIdentifier"] for failure in failures]
            case {"batchItemFailures": _}:
                return None
            case {}:
                return set()
            case _:
                return None
    except (ValueError, RecursionError, KeyError, TypeError):  # not JSON, or a failure without an itemIdentifier
        return None
    return set(identifiers) if all(isinstance(identifier, str) for identifier in identifiers) else None
