"""Waits for a condition. Local AWS and the tests have no other wait loop."""

import time
from collections.abc import Callable


def until[T](
    happens: Callable[[], T],
    what: str,
    seconds: float = 60,
    *,
    every: float = 0.05,
    progress: Callable[[], object] = lambda: None,
) -> T:
    """Wait until ``happens()`` returns something true, and return it.

    Args:
        happens: Returns whether the condition is met.
        what: The condition in words, for the error.
        seconds: How long to wait without progress.
        every: Seconds between two calls of ``happens``.
        progress: Returns a value that changes with progress. Each change restarts the time.

    Raises:
        TimeoutError: The condition was not met in time.
    """
    seen, since = progress(), time.monotonic()
    while not (happened := happens()):
        if (now := progress()) != seen:
            seen, since = now, time.monotonic()
        if time.monotonic() - since > seconds:
            last = "" if seen is None else f"; last seen: {seen}"
            raise TimeoutError(f"waited {seconds} s in vain until {what}{last}")
        time.sleep(every)
    return happened
