"""The replies that are sent to measure with: all alike, and all sound."""

import json
from collections.abc import Sequence
from itertools import batched
from typing import TYPE_CHECKING

from local.replies import reply

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MESSAGES_PER_CALL = 10
"""Of SendMessageBatch."""


def put(sqs: "SQSClient", queue_url: str, labels: Sequence[str]) -> None:
    """Put a reply to each of some contacts on a queue.

    Raises:
        RuntimeError: SQS did not take them all.
    """
    for some in batched(labels, MESSAGES_PER_CALL, strict=False):
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": label, "MessageBody": json.dumps(reply(label))} for label in some
        ]
        answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
        if failed := answer.get("Failed"):
            raise RuntimeError(f"SQS did not take all replies: {failed[0]['Code']}")
