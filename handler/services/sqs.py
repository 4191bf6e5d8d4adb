"""The calls to SQS: move a message to the dead-letter queue, and set a message's visibility timeout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from contract.dead_letter import dead_letter_attributes
from contract.message_attributes import system_attribute_params

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from handler.message import Message
    from handler.verdict import DeadLetter

CONNECT_TIMEOUT = 1
READ_TIMEOUT = 3
MAX_TRIES = 2
CALL_SECONDS = MAX_TRIES * (CONNECT_TIMEOUT + READ_TIMEOUT) + 1
"""The longest time that a call takes: every try times out, with up to a second of backoff between them."""


def client() -> SQSClient:
    """Make the client: short timeouts, one retry."""
    return boto3.client(
        "sqs",
        config=Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": MAX_TRIES},
        ),
    )


def send_dead_letter(
    sqs: SQSClient, queue_url: str, message: Message, verdict: DeadLetter, tried_at: str | None
) -> None:
    """Send the message to the dead-letter queue.

    Args:
        sqs: The client.
        queue_url: The dead-letter queue.
        message: The message as it was received.
        verdict: Why it is dead-lettered.
        tried_at: When Connect may first have been called, in ISO 8601; None if it was not.

    Raises:
        contract.dead_letter.DoesNotFitError: The body leaves no room for token and reason.
        botocore.exceptions.ClientError, BotoCoreError: The queue did not take the message.
    """
    attributes = dead_letter_attributes(
        message.id,
        message.body,
        message.attributes,
        reason=verdict.reason,
        detail=verdict.detail,
        first_tried_at=tried_at,
    )
    sqs.send_message(
        QueueUrl=queue_url,
        MessageBody=message.body,
        MessageAttributes=attributes,
        **system_attribute_params(message.system_attributes),
    )


def hide(sqs: SQSClient, queue_url: str, message: Message, seconds: int) -> None:
    """Make SQS deliver the message again after `seconds`, instead of after the queue's visibility timeout.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: SQS refused. The visibility timeout still applies.
    """
    sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=message.receipt_handle, VisibilityTimeout=seconds)
