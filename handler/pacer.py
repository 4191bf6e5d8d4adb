"""When the next call to Connect may start: at this environment's share of the quota, or slower, as answers teach."""

from collections.abc import Callable

YIELD = 0.8
"""What a throttled call leaves of the pace: others use the quota too."""
RECOVERY = 0.01
"""What an answered call adds to the pace, as a part of the share: 20 calls win back what a throttle took."""
LONGEST_INTERVAL = 20
"""Seconds between two calls, however often they are throttled: something has to find out that the others are gone,
and an invocation must not end before its first call."""
FIRST_PAUSE = 5
LONGEST_PAUSE = 15
"""Seconds between two calls while Connect fails: it is found to be well again within this time."""
FAILURES_BEFORE_PAUSE = 2
"""One failure may be the reply's own; two are Connect's, if it answered none in between. A throttle is no answer."""


class Pacer:
    """Says when the next call may start, and learns from the answers.

    Args:
        rate: Calls a second that this environment may make.
        burst: Calls that it may make at once after a pause.
        clock: Seconds, never going back.
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
        """Seconds until the next call may start; 0 if it may start now."""
        saved_up = (self._burst - 1) * self._interval if self._pace == 1 else 0
        return max(0.0, max(self._due - saved_up, self._paused_until) - self._clock())

    def take(self) -> None:
        """Wait for the next call's turn and use it."""
        if wait := self.wait_time():
            self._sleep(wait)
        self._due = max(self._due, self._clock()) + self._interval / self._pace

    def answered(self) -> None:
        """Connect answered, whether it took the reply or refused it."""
        self._failures = 0
        self._pace = min(1.0, round(self._pace + RECOVERY, 6))

    def throttled(self) -> None:
        """The quota is used up: slow down, and let it fill before the next call."""
        self._pace = max(self._interval / LONGEST_INTERVAL, self._pace * YIELD)
        self._paused_until = self._clock() + self._interval / self._pace

    def failed(self) -> None:
        """Connect could not take any reply now: make few calls until it can."""
        self._failures += 1
        if self._failures >= FAILURES_BEFORE_PAUSE:
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self._failures - FAILURES_BEFORE_PAUSE))
            self._paused_until = self._clock() + pause
