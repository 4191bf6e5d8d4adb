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
        MessageSystemAttributeNames=["All"],
    ).get("Messages"):
        yield from received


def token_of(message: "MessageTypeDef") -> str:
    """The client token of a dead letter: the producer's own, else the first message id, else the letter's own."""
    attributes = message.get("MessageAttributes", {})
    found = next((attributes[name] for name in ("ClientToken", "ReplyCourier.MessageId") if name in attributes), None)
    return found["StringValue"] if found else message["MessageId"]


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
        group = message["Attributes"].get("MessageGroupId")
        sent = sqs.send_message(
            QueueUrl=destination_url,
            MessageBody=message["Body"],
            MessageAttributes={name: sendable(value) for name, value in attributes.items()},
            **({"MessageGroupId": group} if group else {}),  # type: ignore[arg-type]  # mypy mixes up the keys
        )
        sqs.delete_message(QueueUrl=source_url, ReceiptHandle=message["ReceiptHandle"])
        moved[sent["MessageId"]] = token_of(message)
    return moved


def sendable(value: "MessageAttributeValueOutputTypeDef") -> "MessageAttributeValueTypeDef":
    """A received attribute in the form for sending."""
    if "BinaryValue" in value:
        return {"DataType": value["DataType"], "BinaryValue": value["BinaryValue"]}
    return {"DataType": value["DataType"], "StringValue": value["StringValue"]}
