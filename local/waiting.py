"""The one wait loop: everything here that waits for something to become true waits with it."""

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
    """Wait until ``happens()`` is true, and return it.

    Args:
        happens: is asked again and again.
        what: the condition in words, for the error.
        seconds: how long to wait without any progress.
        every: seconds between two looks.
        progress: whatever shows progress; the time starts anew whenever it changes.

    Raises:
        TimeoutError: the condition did not become true in time.
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
