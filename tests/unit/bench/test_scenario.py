"""What a surge is, and how its share of the quota is measured."""

from math import isnan

import pytest

from bench.scenario import Result, Scenario


def test_the_quota_includes_the_rest_of_the_burst_and_excludes_an_outage() -> None:
    assert Scenario(2).quota(0, 100, tokens=5) == 205
    assert Scenario(50).quota(10, 20, tokens=0) == 500
    # The burst is full again after an outage, if that is long enough.
    assert Scenario(2, outage=(90, 150)).quota(0, 100, tokens=5) == 190
    assert Scenario(2, outage=(10, 11)).quota(0, 100, tokens=0) == 200
    assert Scenario(2, full=(0, 50)).quota(10, 60, tokens=1) == 26


def test_all_requests_use_the_burst_and_it_refills_at_the_rate() -> None:
    assert Result().tokens(Scenario(2), 100) == 5
    assert Result(accepted=[10, 10], others=[10]).tokens(Scenario(2), 10.5) == 3
    assert Result(accepted=[n / 2 for n in range(200)]).tokens(Scenario(2), 99.75) == pytest.approx(4.5)
    assert Result(accepted=[0.0] * 5).tokens(Scenario(2), 60) == 5
    assert Result(accepted=[90.0] * 5).tokens(Scenario(2), 60) == 5


def test_another_caller_leaves_half_of_the_quota_once_it_has_begun() -> None:
    assert Scenario(2, other_from=50).left(100) == 155


@pytest.mark.parametrize("scenario", [Scenario(2), Scenario(5, other_from=150), Scenario(0.5, outage=(100, 130))])
def test_as_many_replies_arrive_as_the_quota_allows_and_some_always_wait(scenario: Scenario) -> None:
    arrivals = scenario.arrivals(300)
    assert len(arrivals) == round(scenario.left(300)) - scenario.burst
    assert arrivals == sorted(arrivals)
    # The n-th one is there before the quota would have let it through.
    assert all(at <= n / scenario.rate for n, at in enumerate(arrivals))


def test_a_surge_that_uses_the_whole_quota_has_a_share_of_one() -> None:
    at_the_quota = Result(accepted=[0.0] * 5 + [n / 2 for n in range(1, 196)])
    assert at_the_quota.share_of_quota_used(Scenario(2), 100) == pytest.approx(1, abs=0.02)


def test_a_pause_while_replies_wait_lowers_the_share() -> None:
    with_a_pause = Result(accepted=[n / 2 for n in range(100)] + [50 + n / 2 for n in range(100, 200)])
    assert with_a_pause.share_of_quota_used(Scenario(2), 150) == pytest.approx(170 / (2 * 135 + 5), abs=0.01)


def test_the_last_tenth_of_the_replies_does_not_count() -> None:
    quick_with_a_long_tail = Result(accepted=[n / 2 for n in range(90)] + [100.0 + n for n in range(10)])
    assert quick_with_a_long_tail.measured(Scenario(2), 1000) == (0, 100)


def test_with_another_caller_the_share_is_of_what_that_caller_left() -> None:
    scenario = Scenario(2, other_from=50)
    halves = [50.5 + n for n in range(50)]
    result = Result(
        accepted=[n / 2 for n in range(100)] + [50.0 + n for n in range(50)],
        others=halves,
        others_asked=halves + halves,
    )
    since, until = result.measured(scenario, 100)
    assert since == 50
    took = until - since
    # Until then the rate had been used up to the last request, so 4 or 5 of the burst were left.
    assert result.share_of_quota_used(scenario, 100) == pytest.approx(took / (2 * took + 4.5 - took), abs=0.02)
    assert result.share_of_other_caller(scenario, 100) == pytest.approx(0.5)


def test_without_a_quota_or_other_requests_the_share_is_not_a_number() -> None:
    assert isnan(Result().share_of_other_caller(Scenario(2), 100))
    assert isnan(Result().share_of_quota_used(Scenario(2, other_from=50), 50))
    assert Result().share_of_quota_used(Scenario(2), 100) == 0
