"""The account's quota, as AWS throttles API requests: a token bucket."""

# A caller exactly at the rate must not be throttled for a rounding error in the clock.
_ROUNDING = 1e-6


class TokenBucket:
    """Holds up to `burst` requests and gains `rate` a second. It starts full."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Take one request at `now` (epoch seconds). Return False, and take none, if none is left."""
        gained = max(0.0, now - self._at) * self._rate
        self._tokens = min(float(self._burst), self._tokens + gained)
        self._at = now
        if self._tokens < 1 - _ROUNDING:
            return False
        self._tokens -= 1
        return True
