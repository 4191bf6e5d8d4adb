"""The quotas of an account and an instance."""

from collections import deque

# A caller exactly at the rate must not be throttled because the clock rounds.
_ROUNDING = 1e-6


class TokenBucket:
    """Throttles requests as AWS does. A bucket holds up to `burst` tokens, gains `rate` a second and starts full."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Take a token for one request at `now` (epoch seconds). Return False if the bucket is empty."""
        gained = max(0.0, now - self._at) * self._rate
        self._tokens = min(float(self._burst), self._tokens + gained)
        self._at = now
        if self._tokens < 1 - _ROUNDING:
            return False
        self._tokens -= 1
        return True


class ActiveEmails:
    """The emails of an instance that count as active, each for a time after it was sent."""

    def __init__(self) -> None:
        self._sent_at: deque[float] = deque()

    def add(self, now: float) -> None:
        """Count an email that is sent at `now` (epoch seconds)."""
        self._sent_at.append(now)

    def count(self, now: float, active_seconds: float) -> int:
        """Return how many emails are active if each is active for `active_seconds`. The others are forgotten."""
        while self._sent_at and self._sent_at[0] + active_seconds <= now:
            self._sent_at.popleft()
        return len(self._sent_at)
