from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.backoff import MAX_BACKOFF, backoff
from handler.delivery import LAST_CHANCE_SECONDS
from handler.verdict import Cause


class HighestDraw(Random):
    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


@pytest.mark.parametrize(
    ("receive_count", "longest"), [(1, 2), (2, 4), (3, 8), (6, 64), (9, 512), (10, 900), (11, 900), (1000, 900)]
)
def test_the_backoff_doubles_up_to_15_minutes(receive_count: int, longest: int) -> None:
    assert backoff(receive_count, HighestDraw()) == longest


def test_where_active_emails_are_full_it_starts_at_a_minute() -> None:
    assert backoff(1, HighestDraw(), Cause.ACTIVE_EMAILS_FULL) == 60


@given(st.integers(1, 10_000), st.randoms(use_true_random=False))
def test_the_jitter_is_full_and_never_above_the_limit_or_below_a_second(receive_count: int, rng: Random) -> None:
    assert 1 <= backoff(receive_count, rng) <= MAX_BACKOFF


def test_what_failed_together_does_not_come_back_together() -> None:
    rng = Random(7)
    assert len({backoff(10, rng) for _ in range(20)}) > 15


def test_the_last_chance_is_longer_than_any_backoff() -> None:
    assert MAX_BACKOFF < LAST_CHANCE_SECONDS
