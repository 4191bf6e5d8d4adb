"""Everything the function reports about itself: a closed list of log events and metrics, and one trace for each call.

No address, name, subject or body is ever reported, nor any text that may quote one, such as Connect's error messages.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from contract.client_token import ClientTokenError, is_identifier, iso
from contract.reply import find_contact_id
from handler.verdict import AlreadySent, Cause, DeadLetter, HandBack, Retry, Sent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_lambda_powertools import Logger, Metrics, Tracer
    from aws_lambda_powertools.tracing.base import BaseSegment

    from handler.message import Message

WITHHELD = "(withheld)"
NOT_NOW_METRICS = {
    Cause.THROTTLED: "RepliesThrottled",
    Cause.ACCESS_DENIED: "RepliesDenied",
    Cause.ACTIVE_EMAILS_FULL: "RepliesActiveEmailsFull",
    Cause.ATTACHMENT_PENDING: "RepliesAttachmentPending",
    Cause.UNAVAILABLE: "RepliesUnavailable",
    Cause.TIMED_OUT: "RepliesTimedOut",
    Cause.PAYLOAD_UNAVAILABLE: "PayloadsUnavailable",
}
"""The metric that counts for each cause what Connect, or S3, did not do now."""

type Failure = Literal["dead_letter_failed", "not_deleted_at_once", "reply_failed", "visibility_unchanged"]


def quieten_libraries() -> None:
    """Let no library log below a warning, whatever the function's log level: botocore logs whole requests."""
    for library in ("aws_lambda_powertools", "aws_xray_sdk", "boto3", "botocore", "urllib3"):
        logging.getLogger(library).setLevel(logging.WARNING)


def identifier(text: str) -> str:
    """An id as it may be logged. Producers choose tokens and contact ids: what could be an address is withheld."""
    return text if is_identifier(text) else WITHHELD


class Observability:
    """Logs, metrics and traces of one execution environment.

    Args:
        logger, metrics, tracer: Powertools' own; their decorators stand in app.py.
    """

    def __init__(self, logger: Logger, metrics: Metrics, tracer: Tracer) -> None:
        self._logger = logger
        self._metrics = metrics
        self._tracer = tracer

    def batch_received(self, messages: int) -> None:
        """An invocation starts with this many messages. Receives an email are this over RepliesSent."""
        self._metrics.add_metric(name="MessagesReceived", unit=MetricUnit.Count, value=messages)

    def sent(self, message: Message, verdict: Sent, now: float) -> None:
        """Connect accepted the reply at `now`, in seconds since the epoch."""
        waited = max(0.0, now - message.sent_at)
        self._count("RepliesSent")
        self._metrics.add_metric(name="TimeToAccept", unit=MetricUnit.Seconds, value=waited)
        fields = {
            "contact_id": identifier(verdict.contact_id),
            "connect_request_id": verdict.request_id,
            "seconds_since_enqueued": round(waited, 3),
        }
        self._logger.info("reply_sent", extra=_named(message) | fields)

    def already_sent(self, message: Message, verdict: AlreadySent) -> None:
        """Connect had accepted the reply before."""
        self._count("RepliesAlreadySent")
        fields = {"contact_id": _contact(message), "connect_request_id": verdict.request_id}
        self._logger.info("reply_already_sent", extra=_named(message) | fields)

    def retried(self, message: Message, verdict: Retry, seconds: int) -> None:
        """The reply was not sent; SQS hands it out again after `seconds`."""
        self._count("RepliesRetried")
        fields = {
            "contact_id": _contact(message),
            "cause": verdict.cause,
            "connect_request_id": verdict.request_id,
            "retry_in_seconds": seconds,
        }
        self._logger.warning("reply_retried", extra=_named(message) | fields)

    def dead_lettered(self, message: Message, verdict: DeadLetter) -> None:
        """The dead-letter queue has taken the reply."""
        namespace = self._metrics.namespace
        with single_metric(name="RepliesDeadLettered", unit=MetricUnit.Count, value=1, namespace=namespace) as metric:
            metric.add_dimension(name="service", value=self._metrics.service or "")
            metric.add_dimension(name="reason", value=verdict.reason)
        fields = {
            "contact_id": _contact(message),
            "reason": verdict.reason,
            "connect_request_id": verdict.request_id,
        }
        self._logger.error("reply_dead_lettered", extra=_named(message) | fields)

    def handed_back(self, message: Message, verdict: HandBack) -> None:
        """The reply was not touched; SQS hands it out again after some seconds."""
        self._logger.info("reply_handed_back", extra=_named(message) | {"retry_in_seconds": verdict.seconds})

    def not_now(self, cause: Cause) -> None:
        """Connect did not take a reply now, or S3 did not give its body. It is tried again if its window allows."""
        self._count(NOT_NOW_METRICS[cause])

    def call_repeated(self, message: Message, retry: Retry, seconds: float) -> None:
        """The reply is tried again in this invocation after `seconds`, if there is time."""
        fields = {
            "cause": retry.cause,
            "connect_request_id": retry.request_id,
            "repeat_in_seconds": round(seconds, 3),
        }
        self._logger.warning("call_repeated", extra=_named(message) | fields)

    def records_without_id(self, records: int) -> None:
        """This many records have no message id: SQS makes none, and nothing can be done with them."""
        self._logger.error("records_without_id", extra={"records": records})

    def outcomes_lost(self, outcomes: int, why: str) -> None:
        """The event bus did not take this many outcomes; `why` is an error's code or type."""
        self._metrics.add_metric(name="OutcomesLost", unit=MetricUnit.Count, value=outcomes)
        self._logger.error("outcomes_lost", extra={"outcomes": outcomes, "error": identifier(why)})

    def failed(self, event: Failure, message: Message, error: Exception) -> None:
        """Something of ours failed; the message is safe on its queue. Only the error's type is logged."""
        self._logger.error(event, extra=_named(message) | {"error": type(error).__name__})

    @contextmanager
    def call_traced(self) -> Iterator[BaseSegment]:
        """A subsegment around the call to Connect. Our own, since the SDK's records requests and error messages."""
        with self._tracer.provider.in_subsegment("StartOutboundEmailContact", namespace="remote") as subsegment:
            yield subsegment

    def _count(self, metric: str) -> None:
        self._metrics.add_metric(name=metric, unit=MetricUnit.Count, value=1)


def _named(message: Message) -> dict[str, object]:
    try:
        token = identifier(message.client_token())
    except ClientTokenError:
        token = WITHHELD
    return {
        "message_id": message.id,
        "client_token": token,
        "receive_count": message.receive_count,
        "enqueued_at": _time(message.sent_at),
    }


def _time(seconds: float) -> str | None:
    """A time of SQS's (seconds since the epoch); None where the record has none that can be read."""
    try:
        return iso(seconds)
    except (OverflowError, ValueError):
        return None


def _contact(message: Message) -> str | None:
    """The contact of a reply that was not sent now, by which people look for it; None where the body has none."""
    contact_id = find_contact_id(message.body)
    return None if contact_id is None else identifier(contact_id)
