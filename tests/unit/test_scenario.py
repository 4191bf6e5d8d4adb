"""What a surge is, and how its share of the quota is counted."""

import pytest

from bench.scenario import Result, Scenario


def test_the_quota_of_a_time_holds_its_burst_and_not_the_time_of_an_outage() -> None:
    assert Scenario(2).quota(0, 100) == 205
    assert Scenario(50).quota(0, 10) == 625
    assert Scenario(2, outage=(90, 150)).quota(0, 100) == 185
    assert Scenario(2, full=(0, 50)).quota(10, 60) == 25


def test_another_caller_leaves_half_from_its_begin_on() -> None:
    assert Scenario(2, other_from=50).left(100) == 155


@pytest.mark.parametrize("scenario", [Scenario(2), Scenario(5, other_from=150), Scenario(0.5, outage=(100, 130))])
def test_as_many_replies_come_as_the_quota_lets_through_and_some_always_wait(scenario: Scenario) -> None:
    arrivals = scenario.arrivals(300)
    assert len(arrivals) == round(scenario.left(300)) - scenario.burst
    assert arrivals == sorted(arrivals)
    # The n-th one is there before the quota would have let it through.
    assert all(at <= n / scenario.rate for n, at in enumerate(arrivals))


def test_a_surge_that_uses_all_of_the_quota_has_a_share_of_one() -> None:
    at_the_quota = Result(accepted=[0.0] * 5 + [n / 2 for n in range(1, 196)])
    assert at_the_quota.share_of_quota_used(Scenario(2), 100) == pytest.approx(1, abs=0.02)


def test_quota_that_is_not_used_while_replies_wait_counts() -> None:
    with_a_pause = Result(accepted=[n / 2 for n in range(100)] + [50 + n / 2 for n in range(100, 200)])
    assert with_a_pause.share_of_quota_used(Scenario(2), 150) == pytest.approx(170 / (2 * 135 + 5), abs=0.01)


def test_the_last_tenth_of_the_replies_does_not_count() -> None:
    quick_with_a_long_tail = Result(accepted=[n / 2 for n in range(90)] + [100.0 + n for n in range(10)])
    assert quick_with_a_long_tail.measured(Scenario(2), 1000) == (0, 100)


def test_with_another_caller_it_is_counted_from_its_begin_on_and_of_what_that_one_left() -> None:
    scenario = Scenario(2, other_from=50)
    halves = Result(
        accepted=[n / 2 for n in range(100)] + [50.0 + n for n in range(50)], others=[50.5 + n for n in range(50)]
    )
    since, until = halves.measured(scenario, 100)
    assert since == 50
    ours, others = until - since, until - since
    assert halves.share_of_quota_used(scenario, 100) == pytest.approx(ours / (2 * ours + 5 - others), abs=0.02)
    assert halves.share_of_other_caller(scenario, 100) == pytest.approx(1, abs=0.03)
    assert halves.share_of_other_caller(Scenario(2), 100) is None
