"""A surge on a simulated clock: all of the quota is used, and hardly a call or a receive more than there are emails."""

import pytest

from bench.scenario import Result, Scenario
from bench.simulated.simulation import derived, simulate

SECONDS = 600
RATES_AND_LATENCIES = [(2, 0.15), (2, 0.6), (5, 0.15), (5, 0.6)]


def surge(scenario: Scenario, seconds: float = SECONDS) -> Result:
    """So much of it, played until nothing is left."""
    return simulate(scenario, derived(scenario.rate), scenario.arrivals(seconds))


@pytest.mark.parametrize(("rate", "latency"), [(0.5, 0.15), (0.5, 0.6), *RATES_AND_LATENCIES])
def test_alone_all_of_the_quota_is_used_and_nothing_wasted(rate: float, latency: float) -> None:
    scenario = Scenario(rate, latency)
    result = surge(scenario)
    emails = len(result.accepted)
    assert emails == round(rate * SECONDS)
    assert result.share_of_quota_used(scenario, SECONDS) >= 0.97
    assert result.calls <= 1.02 * emails
    assert result.receives <= 1.05 * emails
    assert result.throttled <= 0.01 * result.calls
    assert result.dead == 0


def test_a_large_rate_is_reached_as_well() -> None:
    scenario = Scenario(50)
    result = surge(scenario, seconds=60)
    assert result.share_of_quota_used(scenario, 60) >= 0.95  # of one minute, which begins with cold starts
    assert (result.calls, result.receives, result.dead) == (3_000, 3_000, 0)


@pytest.mark.parametrize(("rate", "latency"), RATES_AND_LATENCIES)
def test_with_another_caller_from_the_middle_on_what_is_left_is_used(rate: float, latency: float) -> None:
    scenario = Scenario(rate, latency, other_from=SECONDS / 2)
    result = surge(scenario)
    emails = len(result.accepted)
    assert result.share_of_quota_used(scenario, SECONDS) >= 0.92
    assert result.calls <= 1.10 * emails
    assert result.receives <= 1.05 * emails
    assert result.throttled_alone <= 0.01 * result.calls
    assert result.dead == 0
    assert result.share_of_other_caller(scenario, SECONDS) >= 0.6


@pytest.mark.parametrize(("rate", "latency"), RATES_AND_LATENCIES)
def test_an_outage_costs_its_own_time_and_little_more(rate: float, latency: float) -> None:
    scenario = Scenario(rate, latency, outage=(200, 260))
    result = surge(scenario)
    emails = len(result.accepted)
    assert result.share_of_quota_used(scenario, SECONDS) >= 0.97
    assert result.calls <= 1.02 * emails
    assert result.receives <= 1.05 * emails
    assert result.dead == 0


@pytest.mark.parametrize("scenario", [Scenario(2, outage=(100, 3_700)), Scenario(2, full=(100, 3_700))])
def test_a_long_outage_is_asked_about_seldom_and_ends_within_a_minute_of_its_cause(scenario: Scenario) -> None:
    result = surge(scenario, seconds=4_200)
    during = result.calls - len(result.accepted)
    assert during <= 2 * 3_600 / 15 * 1.1  # two environments, a call every 15 seconds
    assert min(at for at in result.accepted if at > 3_700) <= 3_760
    assert result.dead == 0


@pytest.mark.parametrize("rate", [2, 5, 50])
def test_a_reply_alone_waits_for_nothing_and_a_burst_of_five_goes_as_far_as_the_quotas(rate: float) -> None:
    arrivals = [10.0 * n for n in range(5)] + [60.0 + 20 * burst for burst in range(4) for _ in range(5)]
    result = simulate(Scenario(rate), derived(rate), arrivals)
    waited = [result.waited[f"m{n}"] for n in range(len(arrivals))]
    assert max(waited[1:5]) < 0.1  # the first one meets a cold start
    assert result.throttled == 0
    warm = waited[15:]  # the first two bursts meet cold starts too
    # At 2 a second, the fifth is the third in its environment: two calls of 0.15 s and two polls come before it.
    assert max(warm) < (0.41 if rate == 2 else 0.01)
