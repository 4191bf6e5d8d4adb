"""When the next call to Connect may start: at this environment's share of the quota, or slower if answers demand it."""

from collections.abc import Callable

THROTTLE_FACTOR = 0.85
"""A throttled call multiplies the pace by this: other callers use the quota too."""
RECOVERY = 0.015
"""What an answered call adds to the pace, as a part of the share: 10 calls win back what a throttle took."""
LONGEST_INTERVAL = 20
"""Seconds between two calls, however often they are throttled: the environment must notice when other callers stop, and
an invocation must not end before its first call."""
FIRST_PAUSE = 5
LONGEST_PAUSE = 15
"""Seconds between two calls while Connect fails: the environment notices within this time when Connect works again."""
FAILURES_BEFORE_PAUSE = 2
"""One failure may be due to the reply; two in a row, without an answer between them, are Connect's. A throttled call is
not an answer."""


class Pacer:
    """Says when the next call may start, and learns from the answers.

    Args:
        rate: Calls a second that this environment may make.
        burst: Calls that it may make at once after a pause.
        clock: Seconds that never go back.
        sleep: Waits a number of seconds.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._interval = 1 / rate
        self._burst = burst
        self._clock = clock
        self._sleep = sleep
        self._pace = 1.0
        self._due = clock()
        self._paused_until = clock()
        self._failures = 0

    def wait_time(self) -> float:
        """Return the seconds until the next call may start; 0 if it may start now."""
        saved_up = (self._burst - 1) * self._interval if self._pace == 1 else 0
        return max(0.0, max(self._due - saved_up, self._paused_until) - self._clock())

    def acquire(self) -> None:
        """Wait until the next call may start, and use its turn."""
        if wait := self.wait_time():
            self._sleep(wait)
        self._due = max(self._due, self._clock()) + self._interval / self._pace

    def answered(self) -> None:
        """Connect accepted or refused a reply."""
        self._failures = 0
        self._pace = min(1.0, round(self._pace + RECOVERY, 6))

    def throttled(self) -> None:
        """The quota is used up: slow down, and let it refill before the next call."""
        self._pace = max(self._interval / LONGEST_INTERVAL, self._pace * THROTTLE_FACTOR)
        self._paused_until = self._clock() + self._interval / self._pace

    def failed(self) -> None:
        """Connect could not take any reply now: make few calls until it can."""
        self._failures += 1
        if self._failures >= FAILURES_BEFORE_PAUSE:
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self._failures - FAILURES_BEFORE_PAUSE))
            self._paused_until = self._clock() + pause
