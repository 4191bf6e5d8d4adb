"""SQS's client, and how long a call can take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

CONNECT_TIMEOUT = 1
READ_TIMEOUT = 3
ATTEMPTS = 2
CALL_SECONDS = ATTEMPTS * (CONNECT_TIMEOUT + READ_TIMEOUT) + 1
"""What a call takes when every try times out, with up to a second of backoff between them."""


def client() -> SQSClient:
    """The client for dead letters, visibility and early deletion: short time-outs, one more try."""
    return boto3.client(
        "sqs",
        config=Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        ),
    )
