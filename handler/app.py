"""The Lambda function's entry: Powertools around it, a batch of SQS records in, batchItemFailures out."""

from __future__ import annotations

import os
import time
from functools import cache
from random import SystemRandom
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics, Tracer

from handler.delivery import create_delivery
from handler.observability import Observability, silence_libraries
from handler.services import connect, outcomes, payload, sqs
from handler.settings import Settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_connect import ConnectClient
    from mypy_boto3_dynamodb import DynamoDBClient

silence_libraries()
logger = Logger(use_rfc3339=True)  # the time format by which Lambda recognises a line's level
metrics = Metrics()
tracer = Tracer(auto_patch=False)  # a patched SDK would record error messages, which may quote a reply


def draft_clients() -> tuple[ConnectClient, ConnectClient, DynamoDBClient]:
    """Load what drafts need, and make its clients, when the first reply with CreateContact comes."""
    from handler.services import contacts, table  # noqa: PLC0415 - a cold start doesn't wait for it

    return *contacts.clients(settings.instance_arn), table.client()


observability = Observability(logger, metrics, tracer)
settings = Settings.from_environment(os.environ)
delivery = create_delivery(
    settings,
    observability,
    connect=connect.client(settings.instance_arn),
    sqs=cache(sqs.client),
    s3=cache(payload.client),
    events=cache(outcomes.client),
    draft_clients=draft_clients,
    now=time.time,
    monotonic=time.monotonic,
    sleep=time.sleep,
    rng=SystemRandom(),
)


@logger.inject_lambda_context(log_event=False)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics
def lambda_handler(event: object, context: LambdaContext) -> PartialItemFailureResponse:
    """Deliver a batch of SQS records.

    Returns:
        The ids of the messages that are not done, for the event source mapping (ReportBatchItemFailures). Nothing is
        raised even if all of them fail: an exception would not tell Lambda which messages are done.

    Raises:
        TypeError: The event is not from SQS.
    """
    records = event.get("Records") if isinstance(event, dict) else None
    observability.batch_received(len(records) if isinstance(records, list) else 0)
    if not isinstance(records, list):
        message = "This is not an SQS event. Send replies to the queue, or invoke with an event like those in events/."
        raise TypeError(message)
    return delivery.deliver_all(records, lambda: context.get_remaining_time_in_millis() / 1000)
