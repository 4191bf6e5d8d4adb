"""Waiting for a condition."""

import time
from collections.abc import Callable

PATIENCE = 60
"""Seconds: no test of ours waits for long, however busy the machine is."""


def until[T](happens: Callable[[], T], what: str) -> T:
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + PATIENCE
    while not (happened := happens()):
        assert time.monotonic() < deadline, f"after {PATIENCE} s still not: {what}"
        time.sleep(0.02)
    return happened
