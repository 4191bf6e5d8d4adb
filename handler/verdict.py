"""Verdicts: what becomes of a reply. Plain data, decided where something is asked for, acted on in delivery.py."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contract.dead_letter import Reason


class Cause(StrEnum):
    """Why a reply was not sent now and is tried again. Metrics count those that Connect or S3 gives."""

    THROTTLED = "Throttled"
    """More than the quota's requests a second (429)."""
    ACTIVE_EMAILS_FULL = "ActiveEmailsFull"
    """The instance has as many active emails as it may have (402); this passes as they end."""
    ATTACHMENT_PENDING = "AttachmentPending"
    """An attachment's scan has not ended."""
    ACCESS_DENIED = "AccessDenied"
    """The function may not send or not read a body in S3 (403), or its credentials are not accepted; IAM changes take
    time to spread."""
    UNAVAILABLE = "Unavailable"
    """Connect failed (5xx), dropped the connection, or answered what cannot be read."""
    TIMED_OUT = "TimedOut"
    """Connect cannot be reached, or did not answer in time."""
    PAYLOAD_UNAVAILABLE = "PayloadUnavailable"
    """S3 did not give the body of a large reply."""
    DEAD_LETTER_QUEUE_UNAVAILABLE = "DeadLetterQueueUnavailable"
    """The reply cannot be sent, and the dead-letter queue did not take it."""
    UNEXPECTED = "Unexpected"
    """An error in this function itself; the log names its type."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Connect accepted the reply.

    Attributes:
        contact_id: The contact that Connect answered with.
        request_id: Connect's request id, for AWS Support.
    """

    contact_id: str
    request_id: str


@dataclass(frozen=True, slots=True)
class AlreadySent:
    """Connect refuses the token as used (409), and only this very message can have used it: its answer was lost.

    Attributes:
        request_id: Connect's request id, for AWS Support.
    """

    request_id: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Not sent, or not known to be: try again later, with the same token.

    Attributes:
        cause: What stood in the way.
        detail: What an operator needs to see of it. May quote Connect, so it is never logged.
        request_id: Connect's request id, empty where there was no answer.
    """

    cause: Cause
    detail: str
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """It cannot be sent as it is: a person has to mend something.

    Attributes:
        reason: The code that operators filter by.
        detail: What a person needs to mend it. May quote the reply or Connect, so it is never logged.
        request_id: Connect's request id, empty where it did not answer.
        asked: Whether Connect may have been asked in this invocation.
    """

    reason: Reason
    detail: str
    request_id: str = ""
    asked: bool = True


@dataclass(frozen=True, slots=True)
class HandBack:
    """Left on its queue, where SQS hands it out again after `seconds`: not tried, or too large for the other queue."""

    seconds: int = 0


type Verdict = Sent | AlreadySent | Retry | DeadLetter | HandBack
