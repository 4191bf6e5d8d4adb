"""Waiting for a condition."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from local.sqs.redrive import counts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.system import LocalCourier


def until[T](happens: Callable[[], T], what: str, seconds: float = 60) -> T:
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (happened := happens()):
        assert time.monotonic() < deadline, f"after {seconds} s still not: {what}"
        time.sleep(0.02)
    return happened


def settle(courier: LocalCourier) -> None:
    """Wait until the deployed whole has nothing on its queue and nothing in flight."""
    until(lambda: counts_of(courier.aws.sqs, courier.queue_url) == (0, 0), "the queue is empty")
