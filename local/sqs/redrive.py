"""What the SQS console's redrive does, which moto has not: every message moved, with a new id and its attributes."""

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
"""Long enough that nothing is read twice while a queue is read to its end."""


def messages(sqs: "SQSClient", queue_url: str) -> Iterator["MessageTypeDef"]:
    """Receive what is visible on a queue, until there is nothing more; each stays hidden for some seconds."""
    while received := sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=HIDDEN_SECONDS,
        MessageAttributeNames=["All"],
    ).get("Messages"):
        yield from received


def counts_of(sqs: "SQSClient", queue_url: str) -> tuple[int, int]:
    """How many messages of a queue are visible, and how many are in flight or waiting for their backoff."""
    counts = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    return int(counts["ApproximateNumberOfMessages"]), int(counts["ApproximateNumberOfMessagesNotVisible"])


def redrive(sqs: "SQSClient", source_url: str, destination_url: str) -> dict[str, str]:
    """Move every message of a dead-letter queue to another queue.

    Returns:
        The client token of each, by its new message id.
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
    """An attribute as it is sent, from how it was received."""
    if "BinaryValue" in value:
        return {"DataType": value["DataType"], "BinaryValue": value["BinaryValue"]}
    return {"DataType": value["DataType"], "StringValue": value["StringValue"]}
