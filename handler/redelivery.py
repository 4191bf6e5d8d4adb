"""When a message comes back to the function: a backoff, set as the message's visibility time-out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handler.verdict import Cause

if TYPE_CHECKING:
    from random import Random

    from mypy_boto3_sqs import SQSClient

    from handler.message import Message

FIRST_SECONDS = 2
FIRST_SECONDS_WHEN_FULL = 60
"""An instance's active emails (402) end over minutes, not seconds."""
MAX_SECONDS = 900
"""Far inside the 12 hours that SQS allows in all from a message's receive (SQS developer guide, visibility timeout)."""


def delay(attempt: int, rng: Random, cause: Cause | None = None) -> int:
    """Seconds until a message is tried again: full jitter under a doubling limit.

    Full jitter spreads best what failed together (AWS Architecture Blog, "Exponential Backoff And Jitter").

    Args:
        attempt: The message's receive count, from 1.
        rng: Where the jitter comes from.
        cause: What stood in the way.
    """
    first = FIRST_SECONDS_WHEN_FULL if cause is Cause.ACTIVE_EMAILS_FULL else FIRST_SECONDS
    limit = min(MAX_SECONDS, first * 2 ** min(attempt - 1, 10))
    return max(1, round(rng.uniform(0, limit)))


def put_back(sqs: SQSClient, queue_url: str, message: Message, seconds: int) -> None:
    """Make SQS hand the message out again after `seconds`; without this it would after the visibility time-out.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: SQS did not take it; the message comes back later all the same.
    """
    sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=message.receipt_handle, VisibilityTimeout=seconds)
