import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.pacer import Pacer


class FakeClock:
    """A clock that only goes on when somebody sleeps, or when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_a_lone_reply_waits_for_nothing() -> None:
    clock = FakeClock()
    Pacer(0.25, clock, clock.sleep).take()
    assert clock.slept == []


def test_the_next_one_waits_for_its_turn() -> None:
    clock = FakeClock()
    pacer = Pacer(0.5, clock, clock.sleep)
    pacer.take()
    clock.now += 0.5
    assert pacer.wait_time() == pytest.approx(1.5)
    pacer.take()
    assert clock.slept == [pytest.approx(1.5)]


def test_after_a_pause_nothing_is_owed_and_nothing_saved_up() -> None:
    clock = FakeClock()
    pacer = Pacer(1, clock, clock.sleep)
    pacer.take()
    clock.now += 60
    pacer.take()
    pacer.take()
    assert clock.slept == [pytest.approx(1)]


@given(st.floats(0.1, 500), st.lists(st.floats(0, 3), min_size=1, max_size=50))
def test_sends_are_never_closer_than_the_rate_allows(rate: float, work: list[float]) -> None:
    clock = FakeClock()
    pacer = Pacer(rate, clock, clock.sleep)
    starts = []
    for seconds in work:
        pacer.take()
        starts.append(clock.now)
        clock.now += seconds
    assert all(later - earlier >= 1 / rate - 1e-6 for earlier, later in itertools.pairwise(starts))
