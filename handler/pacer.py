"""No faster than this execution environment's share of the quota."""

from collections.abc import Callable


class Pacer:
    """Spaces sends evenly; after a pause the next one goes at once.

    Args:
        rate: Sends a second.
        clock: Seconds, never going back.
        sleep: Waits a number of seconds.
    """

    def __init__(self, rate: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._interval = 1 / rate
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    def wait_time(self) -> float:
        """Seconds until the next send may start; 0 if it may start now."""
        return max(0.0, self._next - self._clock())

    def take(self) -> None:
        """Wait for the next send's turn and use it."""
        if wait := self.wait_time():
            self._sleep(wait)
        self._next = max(self._next, self._clock()) + self._interval
