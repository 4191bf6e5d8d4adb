from hypothesis import given
from hypothesis import strategies as st

from local.connect.quotas import TokenBucket

NOW = 1_800_000_000.0


def test_a_full_bucket_gives_its_burst_at_once_and_no_more() -> None:
    bucket = TokenBucket(rate=2, burst=5)

    assert [bucket.take(NOW) for _ in range(7)] == [True] * 5 + [False] * 2


def test_throttled_requests_use_no_tokens() -> None:
    bucket = TokenBucket(rate=2, burst=1)
    bucket.take(NOW)
    for _ in range(100):
        assert not bucket.take(NOW + 0.4)

    assert bucket.take(NOW + 0.5)


def test_a_pause_refills_the_bucket_up_to_its_burst() -> None:
    bucket = TokenBucket(rate=2, burst=3)
    for _ in range(3):
        bucket.take(NOW)

    assert [bucket.take(NOW + 3600) for _ in range(4)] == [True, True, True, False]


def test_a_caller_exactly_at_the_rate_is_never_throttled() -> None:
    bucket = TokenBucket(rate=3, burst=1)

    assert all(bucket.take(NOW + n / 3) for n in range(10_000))


@given(st.floats(0.5, 500), st.integers(1, 20), st.lists(st.floats(0, 3), max_size=200))
def test_no_pattern_of_calls_gets_more_than_burst_plus_rate(rate: float, burst: int, pauses: list[float]) -> None:
    bucket, now, taken = TokenBucket(rate, burst), NOW, 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now)

    assert taken <= burst + rate * (now - NOW) + 0.01
