"""Reads queues in local AWS, and moves messages as the SQS console's redrive does, which moto lacks."""

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
"""Long enough to read a whole queue without receiving a message twice."""


def messages(sqs: "SQSClient", queue_url: str) -> Iterator["MessageTypeDef"]:
    """Receive every visible message of a queue, and hide it for ``HIDDEN_SECONDS``."""
    while received := sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=HIDDEN_SECONDS,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["All"],
    ).get("Messages"):
        yield from received


def token_of(message: "MessageTypeDef") -> str:
    """Return the client token of a dead letter: the producer's, else the first message id, else the letter's id."""
    attributes = message.get("MessageAttributes", {})
    found = next((attributes[name] for name in ("ClientToken", "ReplyCourier.MessageId") if name in attributes), None)
    return found["StringValue"] if found else message["MessageId"]


def counts_of(sqs: "SQSClient", queue_url: str) -> tuple[int, int]:
    """Return how many messages of a queue are visible, and how many are in flight or wait for their backoff."""
    counts = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    return int(counts["ApproximateNumberOfMessages"]), int(counts["ApproximateNumberOfMessagesNotVisible"])


def redrive(sqs: "SQSClient", source_url: str, destination_url: str) -> dict[str, str]:
    """Move every message of a dead-letter queue to another queue. Each keeps its attributes and gets a new id.

    Returns:
        The client token of each message, by its new message id.
    """
    moved = {}
    for message in list(messages(sqs, source_url)):
        attributes = message.get("MessageAttributes", {})
        group = message["Attributes"].get("MessageGroupId")
        sent = sqs.send_message(
            QueueUrl=destination_url,
            MessageBody=message["Body"],
            MessageAttributes={name: to_send(value) for name, value in attributes.items()},
            **({"MessageGroupId": group} if group else {}),  # type: ignore[arg-type]  # mypy confuses the keys
        )
        sqs.delete_message(QueueUrl=source_url, ReceiptHandle=message["ReceiptHandle"])
        moved[sent["MessageId"]] = token_of(message)
    return moved


def to_send(value: "MessageAttributeValueOutputTypeDef") -> "MessageAttributeValueTypeDef":
    """Return a received attribute in the form that SendMessage takes."""
    if "BinaryValue" in value:
        return {"DataType": value["DataType"], "BinaryValue": value["BinaryValue"]}
    return {"DataType": value["DataType"], "StringValue": value["StringValue"]}
