"""Everything that the function reports: a closed list of log events and metrics, and a trace of each call to Connect.

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
CAUSE_METRICS = {
    Cause.THROTTLED: "AttemptsThrottled",
    Cause.ACCESS_DENIED: "AccessDenied",
    Cause.ACTIVE_EMAILS_FULL: "ActiveEmailsFull",
    Cause.ATTACHMENT_PENDING: "AttachmentsPending",
    Cause.UNAVAILABLE: "ConnectUnavailable",
    Cause.TIMED_OUT: "ConnectTimedOut",
    Cause.PAYLOAD_UNAVAILABLE: "PayloadsUnavailable",
    Cause.TABLE_UNAVAILABLE: "TableUnavailable",
    Cause.DRAFTS_HELD: "DraftsHeld",
    Cause.CONTACT_NOT_YET_KNOWN: "ContactsNotYetKnown",
    Cause.USER_FULL: "UsersFull",
}
"""The metric that counts each cause that Connect, S3 or the table of drafts gives."""

type Failure = Literal["dead_letter_failed", "unexpected_error", "visibility_change_failed"]


def silence_libraries() -> None:
    """Stop libraries from logging below warnings, whatever the function's log level: botocore logs whole requests."""
    for library in ("aws_lambda_powertools", "aws_xray_sdk", "boto3", "botocore", "urllib3"):
        logging.getLogger(library).setLevel(logging.WARNING)


def loggable(text: str) -> str:
    """Return an id, or WITHHELD: producers choose tokens and contact ids, and these could be addresses."""
    return text if is_identifier(text) else WITHHELD


class Observability:
    """Logs, metrics and traces of one execution environment.

    Args:
        logger, metrics, tracer: Powertools' own. Their decorators are in app.py.
    """

    def __init__(self, logger: Logger, metrics: Metrics, tracer: Tracer) -> None:
        self._logger = logger
        self._metrics = metrics
        self._tracer = tracer

    def batch_received(self, messages: int) -> None:
        """An invocation starts with this many messages. Divide by RepliesSent for receives an email."""
        self._metrics.add_metric(name="MessagesReceived", unit=MetricUnit.Count, value=messages)

    def sent(self, message: Message, verdict: Sent, now: float) -> None:
        """Connect accepted the reply at `now`, in seconds since the epoch."""
        waited = max(0.0, now - message.sent_at)
        self._count("RepliesSent")
        self._metrics.add_metric(name="TimeToAccept", unit=MetricUnit.Seconds, value=waited)
        fields = {
            "contact_id": loggable(verdict.contact_id),
            "connect_request_id": verdict.request_id,
            "seconds_since_enqueued": round(waited, 3),
        }
        self._logger.info("reply_sent", extra=_message_fields(message) | fields)

    def already_sent(self, message: Message, verdict: AlreadySent) -> None:
        """Connect had accepted the reply before."""
        self._count("RepliesAlreadySent")
        fields = {"contact_id": _contact_id(message, verdict), "connect_request_id": verdict.request_id}
        self._logger.info("reply_already_sent", extra=_message_fields(message) | fields)

    def retried(self, message: Message, verdict: Retry, seconds: int) -> None:
        """The reply was not sent. SQS delivers its message again after `seconds`."""
        self._count("RepliesRetried")
        fields = {
            "contact_id": _contact_id(message, verdict),
            "cause": verdict.cause,
            "connect_request_id": verdict.request_id,
            "retry_in_seconds": seconds,
        }
        self._logger.warning("reply_retried", extra=_message_fields(message) | fields)

    def dead_lettered(self, message: Message, verdict: DeadLetter) -> None:
        """The dead-letter queue has the message."""
        namespace = self._metrics.namespace
        with single_metric(name="RepliesDeadLettered", unit=MetricUnit.Count, value=1, namespace=namespace) as metric:
            metric.add_dimension(name="service", value=self._metrics.service or "")
            metric.add_dimension(name="reason", value=verdict.reason)
        fields = {
            "contact_id": _contact_id(message, verdict),
            "reason": verdict.reason,
            "connect_request_id": verdict.request_id,
        }
        self._logger.error("reply_dead_lettered", extra=_message_fields(message) | fields)

    def handed_back(self, message: Message, verdict: HandBack) -> None:
        """The reply was not attempted. SQS delivers its message again after some seconds."""
        self._logger.info("reply_handed_back", extra=_message_fields(message) | {"retry_in_seconds": verdict.seconds})

    def count_cause(self, cause: Cause) -> None:
        """Connect did not accept a reply now, or S3 did not return its body."""
        self._count(CAUSE_METRICS[cause])

    def attempt_failed(self, message: Message, verdict: Retry, seconds: float) -> None:
        """An attempt failed. If time allows, this invocation makes another attempt after `seconds`."""
        fields = {
            "cause": verdict.cause,
            "connect_request_id": verdict.request_id,
            "retry_in_seconds": round(seconds, 3),
        }
        self._logger.warning("attempt_failed", extra=_message_fields(message) | fields)

    def draft_made(self, message: Message, contact_id: str) -> None:
        """Connect made a draft for the reply."""
        self._draft("draft_made", "DraftsMade", message, contact_id)

    def draft_stopped(self, message: Message, contact_id: str) -> None:
        """Connect stopped the draft of a reply that wasn't sent with it."""
        self._draft("draft_stopped", "DraftsStopped", message, contact_id)

    def draft_not_stopped(self, message: Message, contact_id: str) -> None:
        """Connect didn't stop such a draft. It counts as an active email until it expires."""
        self._draft("draft_not_stopped", "DraftStopsFailed", message, contact_id)

    def records_without_id(self, records: int) -> None:
        """This many records have no message id. SQS makes no such records, and nothing can be done with them."""
        self._logger.error("records_without_id", extra={"records": records})

    def outcomes_lost(self, outcomes: int, error: str) -> None:
        """The event bus did not take this many outcomes; `error` is an error's code or type."""
        self._metrics.add_metric(name="OutcomesLost", unit=MetricUnit.Count, value=outcomes)
        self._logger.error("outcomes_lost", extra={"outcomes": outcomes, "error": loggable(error)})

    def failed(self, event: Failure, message: Message, error: Exception) -> None:
        """A step of the delivery failed. The message is safe on its queue. Only the error's type is logged."""
        self._logger.error(event, extra=_message_fields(message) | {"error": type(error).__name__})

    @contextmanager
    def call_traced(self, operation: str) -> Iterator[BaseSegment]:
        """Trace a call to Connect. X-Ray's patch of the SDK would record requests and error messages."""
        with self._tracer.provider.in_subsegment(operation, namespace="remote") as subsegment:
            yield subsegment

    def _draft(self, event: str, metric: str, message: Message, contact_id: str) -> None:
        self._count(metric)
        self._logger.info(event, extra=_message_fields(message) | {"contact_id": loggable(contact_id)})

    def _count(self, metric: str) -> None:
        self._metrics.add_metric(name=metric, unit=MetricUnit.Count, value=1)


def _message_fields(message: Message) -> dict[str, object]:
    try:
        token = loggable(message.client_token())
    except ClientTokenError:
        token = WITHHELD
    return {
        "message_id": message.id,
        "client_token": token,
        "receive_count": message.receive_count,
        "enqueued_at": _time(message.sent_at),
    }


def _time(seconds: float) -> str | None:
    """Format a time of SQS's; None if the record had none that can be read."""
    try:
        return iso(seconds)
    except (OverflowError, ValueError):
        return None


def _contact_id(message: Message, verdict: AlreadySent | Retry | DeadLetter) -> str | None:
    """Return the contact of a reply that was not sent now, so that people can search for it."""
    contact_id = verdict.draft.contact_id if verdict.draft else find_contact_id(message.body)
    return None if contact_id is None else loggable(contact_id)
