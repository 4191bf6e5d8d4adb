import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.pacer import FIRST_PAUSE, LONGEST_PAUSE, Pacer
from tests.fakes.function import FakeClock


def paced(rate: float, burst: float = 1) -> tuple[Pacer, FakeClock]:
    clock = FakeClock()
    return Pacer(rate, burst, clock, clock.sleep), clock


def test_a_lone_reply_waits_for_nothing() -> None:
    pacer, clock = paced(0.25)
    pacer.acquire()
    assert clock.slept == []


def test_the_next_one_waits_for_its_turn() -> None:
    pacer, clock = paced(0.5)
    pacer.acquire()
    clock.now += 0.5
    assert pacer.wait_time() == pytest.approx(1.5)
    pacer.acquire()
    assert clock.slept == [pytest.approx(1.5)]


def test_after_a_pause_as_many_go_at_once_as_the_burst_allows() -> None:
    pacer, clock = paced(1, burst=3)
    clock.now += 60
    for _ in range(5):
        pacer.acquire()
    assert clock.slept == [pytest.approx(1), pytest.approx(1)]


def test_a_new_environment_may_use_its_burst_at_once() -> None:
    pacer, clock = paced(1, burst=2)
    pacer.acquire()
    pacer.acquire()
    assert clock.slept == []


@given(st.floats(0.1, 500), st.integers(1, 5), st.lists(st.floats(0, 3), min_size=1, max_size=50))
def test_sends_never_exceed_rate_and_burst(rate: float, burst: int, work: list[float]) -> None:
    pacer, clock = paced(rate, burst)
    starts = []
    for seconds in work:
        pacer.acquire()
        starts.append(clock.now)
        clock.now += seconds
    for (i, first), (j, last) in itertools.combinations(enumerate(starts), 2):
        assert j - i + 1 <= burst + (last - first) * rate + 1e-6


def test_a_throttle_slows_down_and_lets_the_quota_fill() -> None:
    pacer, clock = paced(1)
    pacer.acquire()
    pacer.throttled()
    pacer.acquire()
    assert clock.slept == [pytest.approx(1 / 0.85)]
    pacer.acquire()
    assert clock.slept[-1] == pytest.approx(1 / 0.85)


def test_accepted_replies_win_the_pace_back_little_by_little() -> None:
    pacer, clock = paced(1)
    pacer.throttled()
    for _ in range(11):
        pacer.acquire()
        pacer.answered()
    pacer.acquire()
    assert clock.slept[0] > clock.slept[5] > clock.slept[-1] == pytest.approx(1)


def test_one_failure_alone_changes_nothing() -> None:
    pacer, _ = paced(10)
    pacer.failed()
    assert pacer.wait_time() == 0


def test_an_answer_between_two_failures_makes_each_of_them_the_first() -> None:
    clock = FakeClock()
    pacer = Pacer(1, 1, clock, clock.sleep)
    for _ in range(3):
        pacer.acquire()
        pacer.failed()
        assert pacer.wait_time() == pytest.approx(1)
        pacer.acquire()
        pacer.answered()


def test_while_connect_fails_calls_become_few_and_one_answer_ends_it() -> None:
    pacer, clock = paced(10)
    pacer.failed()
    for _ in range(5):
        pacer.failed()
        pacer.acquire()
    assert clock.slept == [
        pytest.approx(pause) for pause in (FIRST_PAUSE, 10, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE)
    ]
    pacer.answered()
    clock.now += 1
    assert pacer.wait_time() == 0


@given(st.floats(0.25, 10), st.lists(st.sampled_from(["acquire", "answered", "throttled", "failed"]), max_size=200))
def test_whatever_connect_answers_the_next_call_comes_within_reach(rate: float, events: list[str]) -> None:
    pacer, _ = paced(rate)
    for event in events:
        getattr(pacer, event)()
        assert pacer.wait_time() <= 20 + 1e-6
