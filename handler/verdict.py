"""The possible verdicts, the retry window and the backoff. Plain data and pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from contract.dead_letter import Reason

if TYPE_CHECKING:
    from random import Random

    from handler.message import Message
    from handler.settings import Settings

ACCESS_DENIED_SECONDS = 1800
"""How long a refused permission is retried: IAM changes take minutes to spread, not hours."""
LAST_CHANCE_SECONDS = 3600
"""More than any backoff and visibility timeout: the queue may delete a message this old before another attempt."""
LAST_CHANCE = "The queue would have deleted it before another attempt."
FIRST_BACKOFF = 2
FIRST_BACKOFF_WHEN_FULL = 60
"""Seconds. An instance's active emails (402) end over minutes, not seconds."""
MAX_BACKOFF = 900
"""Seconds, far below the 12 hours in all that SQS allows from a receive (SQS developer guide, visibility timeout)."""


class Cause(StrEnum):
    """Why a reply was not sent now and is tried again."""

    THROTTLED = "Throttled"
    """More requests a second than the quota allows (429)."""
    ACTIVE_EMAILS_FULL = "ActiveEmailsFull"
    """The instance has as many active emails as it may have (402). This passes as they end."""
    ATTACHMENT_PENDING = "AttachmentPending"
    """The scan of an attachment has not ended."""
    ACCESS_DENIED = "AccessDenied"
    """The function may not send, or not read a body in S3 (403), or its credentials are not accepted. IAM changes take
    time to spread."""
    UNAVAILABLE = "Unavailable"
    """Connect failed (5xx), dropped the connection, or gave an answer that can't be read."""
    TIMED_OUT = "TimedOut"
    """Connect can't be reached, or did not answer in time."""
    PAYLOAD_UNAVAILABLE = "PayloadUnavailable"
    """S3 did not return the body of a large reply."""
    DEAD_LETTER_QUEUE_UNAVAILABLE = "DeadLetterQueueUnavailable"
    """The reply can't be sent, and the dead-letter queue did not take it."""
    TABLE_UNAVAILABLE = "TableUnavailable"
    """The table of drafts did not answer, or refused."""
    DRAFTS_HELD = "DraftsHeld"
    """This environment makes no new drafts for a while, since a failure could leave more and more of them."""
    CONTACT_NOT_YET_KNOWN = "ContactNotYetKnown"
    """Connect refused a contact that is so new that it may not be known everywhere."""
    USER_FULL = "UserFull"
    """The user of the reply has as many drafts as a user may have (402)."""
    UNEXPECTED = "Unexpected"
    """A bug in this function. The log names the error's type."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The contact that the function made for a reply.

    Attributes:
        contact_id: The contact.
        made_at: The time just before CreateContact was called, in whole seconds since the epoch.
        is_new: Whether this delivery made it.
        is_stopped: Whether this delivery stopped it.
    """

    contact_id: str
    made_at: int
    is_new: bool
    is_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A draft that this delivery may attempt: its mark is in the item.

    Attributes:
        token: The reply's client token.
        draft: The draft.
        mark: This delivery's mark.
        is_doubted: Whether an earlier attempt on the draft may have been accepted.
    """

    token: str
    draft: Draft
    mark: str
    is_doubted: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """Connect accepted the reply.

    Attributes:
        contact_id: The contact in Connect's answer.
        request_id: Connect's request id, for AWS Support.
        draft: The reply's draft, if the function made it.
    """

    contact_id: str
    request_id: str
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class AlreadySent:
    """Connect knows the token (409), and only this message can have used it: an earlier answer was lost.

    Attributes:
        request_id: Connect's request id, for AWS Support.
        draft: The reply's draft, if the function made it.
    """

    request_id: str
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Not sent, or perhaps not: try again later, with the same token.

    Attributes:
        cause: What prevented it.
        detail: What an operator needs to know about it. It may quote Connect, so it is never logged.
        request_id: Connect's request id; empty if there was no answer.
        may_have_been_sent: Whether Connect may have accepted an attempt of this delivery.
        draft: The reply's draft, if the function made it.
    """

    cause: Cause
    detail: str
    request_id: str = ""
    may_have_been_sent: bool = False
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """It can't be sent as it is: a person must fix something.

    Attributes:
        reason: The code that operators filter by.
        detail: What a person needs to fix it. It may quote the reply or Connect, so it is never logged.
        request_id: Connect's request id; empty if there was no answer.
        connect_called: Whether this invocation may have attempted to send it.
        may_have_been_sent: Whether Connect may have accepted an attempt of this delivery.
        status: The HTTP status of the answer; 0 if there was none.
        tried_since: When Connect may first have been called, in seconds since the epoch, if the table knows.
        draft: The reply's draft, if the function made it.
    """

    reason: Reason
    detail: str
    request_id: str = ""
    connect_called: bool = True
    may_have_been_sent: bool = False
    status: int = 0
    tried_since: float = math.inf
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class HandBack:
    """Not attempted: the message stays on its queue, and SQS delivers it again after `seconds`."""

    seconds: int = 0


type Verdict = Sent | AlreadySent | Retry | DeadLetter | HandBack


def may_have_been_sent(verdict: Verdict) -> bool:
    """Return whether Connect may have accepted an attempt of the delivery with this verdict."""
    match verdict:
        case Retry() | DeadLetter():
            return verdict.may_have_been_sent
        case HandBack():
            return False
    return True


def final_verdict(verdict: Verdict, message: Message, settings: Settings, now: float, *, has_time: bool) -> Verdict:
    """Dead-letter what must not be retried any longer; leave every other verdict as it is.

    Every verdict passes through this function once, before anything acts on it.

    Args:
        verdict: What an attempt, or a check before it, came to.
        message: The message.
        settings: What the stack has set.
        now: Seconds since the epoch.
        has_time: Whether the invocation has time left to act on another verdict than to hand the message back.
    """
    is_last_chance = message.sent_at + settings.retention_seconds - now < LAST_CHANCE_SECONDS
    match verdict:
        case HandBack() if is_last_chance and has_time:
            return DeadLetter(Reason.RETRIES_EXHAUSTED, f"Not attempted now. {LAST_CHANCE}", connect_called=False)
        case Retry():
            window = settings.retry_seconds
            if verdict.cause is Cause.ACCESS_DENIED:
                window = min(window, ACCESS_DENIED_SECONDS)
            if is_last_chance or now - message.first_received_at > window:
                last = f" {LAST_CHANCE}" if is_last_chance else ""
                return DeadLetter(
                    Reason.RETRIES_EXHAUSTED,
                    f"Last: {verdict.detail}{last}",
                    verdict.request_id,
                    may_have_been_sent=verdict.may_have_been_sent,
                )
    return verdict


def backoff(receive_count: int, rng: Random, cause: Cause | None = None) -> int:
    """Return the seconds until SQS delivers a message again: full jitter under a limit that doubles.

    Full jitter spreads best what failed together (AWS Architecture Blog, "Exponential Backoff And Jitter").

    Args:
        receive_count: The message's receive count, from 1.
        rng: Source of the jitter.
        cause: Why the reply was not sent.
    """
    first = FIRST_BACKOFF_WHEN_FULL if cause is Cause.ACTIVE_EMAILS_FULL else FIRST_BACKOFF
    limit = min(MAX_BACKOFF, first * 2 ** min(receive_count - 1, 10))
    return max(1, round(rng.uniform(0, limit)))
