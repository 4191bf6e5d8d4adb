"""The quotas of an account and an instance."""

from collections import deque
from heapq import heappop, heappush

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
    """The emails of an instance that count as active, beside its drafts: inbound ones, and sent ones for a time."""

    def __init__(self) -> None:
        self._sent_at: deque[float] = deque()
        self._inbound_until: list[float] = []

    def add_sent(self, now: float) -> None:
        """Count an email that is sent at `now` (epoch seconds)."""
        self._sent_at.append(now)

    def add_inbound(self, until: float) -> None:
        """Count an inbound email that is active until then (epoch seconds)."""
        heappush(self._inbound_until, until)

    def inbound(self, now: float) -> int:
        """Return how many inbound emails are active."""
        while self._inbound_until and self._inbound_until[0] <= now:
            heappop(self._inbound_until)
        return len(self._inbound_until)

    def sent(self, now: float, active_seconds: float) -> int:
        """Return how many sent emails are active if each is active for `active_seconds`. The others are forgotten."""
        while self._sent_at and self._sent_at[0] + active_seconds <= now:
            self._sent_at.popleft()
        return len(self._sent_at)
