"""The SQS console's redrive, which moto lacks: moves every message, with its attributes, under a new id."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        MessageAttributeValueOutputTypeDef,
        MessageAttributeValueTypeDef,
        MessageTypeDef,
    )

HIDDEN_SECONDS = 30
"""Long enough that no message is received twice while a queue is read to its end."""


def messages(sqs: "SQSClient", queue_url: str) -> Iterator["MessageTypeDef"]:
    """Receive every visible message of a queue; each stays hidden for ``HIDDEN_SECONDS``."""
    while received := sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=HIDDEN_SECONDS,
        MessageAttributeNames=["All"],
    ).get("Messages"):
        yield from received


def counts_of(sqs: "SQSClient", queue_url: str) -> tuple[int, int]:
    """Count the messages of a queue that are visible, and those that are in flight or waiting for their backoff."""
    counts = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    return int(counts["ApproximateNumberOfMessages"]), int(counts["ApproximateNumberOfMessagesNotVisible"])


def redrive(sqs: "SQSClient", source_url: str, destination_url: str) -> dict[str, str]:
    """Move every message of a dead-letter queue to another queue.

    Returns:
        The client token of each message by its new message id.
    """
    moved = {}
    for message in list(messages(sqs, source_url)):
        attributes = message.get("MessageAttributes", {})
        sent = sqs.send_message(
            QueueUrl=destination_url,
            MessageBody=message["Body"],
            MessageAttributes={name: sendable(value) for name, value in attributes.items()},
        )
        sqs.delete_message(QueueUrl=source_url, ReceiptHandle=message["ReceiptHandle"])
        moved[sent["MessageId"]] = attributes.get("ClientToken", {"StringValue": message["MessageId"]})["StringValue"]
    return moved


def sendable(value: "MessageAttributeValueOutputTypeDef") -> "MessageAttributeValueTypeDef":
    """A received attribute in the form for sending."""
    if "BinaryValue" in value:
        return {"DataType": value["DataType"], "BinaryValue": value["BinaryValue"]}
    return {"DataType": value["DataType"], "StringValue": value["StringValue"]}
