"""The Lambda function's entry: Powertools around it, one batch in, batchItemFailures out."""

from __future__ import annotations

import os
import time
from functools import cache
from random import SystemRandom
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics, Tracer

from handler.batch import deliver_all
from handler.delivery import Delivery
from handler.observability import Observability, quieten_libraries
from handler.pacer import Pacer
from handler.sender import Sender
from handler.services import connect, outcomes, payload, sqs
from handler.settings import Settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

quieten_libraries()
logger = Logger(use_rfc3339=True)  # the form of time by which Lambda knows a line's level
metrics = Metrics()
tracer = Tracer(auto_patch=False)  # the patched SDK would record error messages, and those may quote a reply

observability = Observability(logger, metrics, tracer)
settings = Settings.from_environment(os.environ)
sender = Sender(
    settings=settings,
    connect=connect.client(settings.instance_arn),
    pacer=Pacer(settings.send_rate_share, settings.burst_share, time.monotonic, time.sleep),
    payloads=payload.Payloads(settings.payload_bucket, cache(payload.client)),
    observability=observability,
    now=time.time,
)
delivery = Delivery(
    settings=settings,
    sender=sender,
    sqs=cache(sqs.client),
    outcomes=outcomes.Outcomes(settings.event_bus_name, cache(outcomes.client), observability, time.time, time.sleep),
    observability=observability,
    now=time.time,
    rng=SystemRandom(),
)


@logger.inject_lambda_context(log_event=False)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics
def lambda_handler(event: object, context: LambdaContext) -> PartialItemFailureResponse:
    """Deliver a batch of SQS records.

    Returns:
        The ids of the messages that are not done, for the event source mapping (ReportBatchItemFailures). Nothing is
        raised for a batch that failed whole: that would hide from Lambda which messages are done.

    Raises:
        TypeError: The event is not from SQS.
    """
    records = event.get("Records") if isinstance(event, dict) else None
    observability.batch_received(len(records) if isinstance(records, list) else 0)
    if not isinstance(records, list):
        message = "This is not an SQS event. Send replies to the queue, or invoke with an event like those in events/."
        raise TypeError(message)
    return deliver_all(records, lambda: context.get_remaining_time_in_millis() / 1000, delivery)
