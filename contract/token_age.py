"""How long a client token protects a reply: Connect may forget it, and would then send the reply again."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contract.message_attributes import text_of

if TYPE_CHECKING:
    from contract.message_attributes import Attributes

FIRST_TRIED_AT = "ReplyCourier.FirstTriedAt"
"""When Connect may first have been asked under the token (ISO 8601); kept through all lives. Absent: never asked."""
FORCED_AT = "ReplyCourier.ForcedAt"
"""No longer set or read. Earlier versions set it; it is still one of our attributes, so that it is removed."""
MEMORY_SECONDS = 7 * 86_400
"""How long Connect is taken to remember a token: AWS documents it for voice and chat contacts, and not for email."""


def first_tried_at(attributes: Attributes, sent_at: float) -> float | None:
    """When Connect may first have been asked in an earlier life, in seconds since the epoch; None if it was not.

    Args:
        attributes: The message's.
        sent_at: SQS's SentTimestamp in seconds: an earlier life ended before it. A later time is taken for this one,
            and a time that cannot be read for one long ago, so that a person looks at the reply.
    """
    if FIRST_TRIED_AT not in attributes:
        return None
    tried = seconds_of(text_of(attributes, FIRST_TRIED_AT))
    return -math.inf if tried is None else min(tried, sent_at)


def may_be_forgotten(tried_at: float | None, now: float) -> bool:
    """Whether Connect may have forgotten a token that was first used then (None: never); seconds since the epoch."""
    return tried_at is not None and now - tried_at > MEMORY_SECONDS


def iso(seconds: float) -> str:
    """A time (seconds since the epoch) as people and programs read it: 2026-11-22T08:15:00.000+00:00."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def seconds_of(text: str | None) -> float | None:
    """The time in a text, in seconds since the epoch; None if it is not one in ISO 8601, with its offset from UTC."""
    try:
        time = datetime.fromisoformat(text or "")
        seconds = time.timestamp()
    except (ValueError, OverflowError):
        return None
    return seconds if time.tzinfo is not None and seconds >= 0 else None
