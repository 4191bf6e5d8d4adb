"""When a reply that was not sent is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handler.verdict import Cause

if TYPE_CHECKING:
    from random import Random

FIRST_BACKOFF = 2
FIRST_BACKOFF_WHEN_FULL = 60
"""Seconds. An instance's active emails (402) end over minutes, not seconds."""
MAX_BACKOFF = 900
"""Seconds, far inside the 12 hours that SQS allows in all from a receive (SQS developer guide, visibility timeout)."""


def backoff(receive_count: int, rng: Random, cause: Cause | None = None) -> int:
    """Seconds until SQS hands a message out again: full jitter under a doubling limit.

    Full jitter spreads best what failed together (AWS Architecture Blog, "Exponential Backoff And Jitter").

    Args:
        receive_count: The message's receive count, from 1.
        rng: Where the jitter comes from.
        cause: Why the reply was not sent.
    """
    first = FIRST_BACKOFF_WHEN_FULL if cause is Cause.ACTIVE_EMAILS_FULL else FIRST_BACKOFF
    limit = min(MAX_BACKOFF, first * 2 ** min(receive_count - 1, 10))
    return max(1, round(rng.uniform(0, limit)))
