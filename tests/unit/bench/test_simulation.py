"""On a simulated clock, the function uses the whole quota, with hardly more calls and receives than emails."""

import pytest

from bench.scenario import Result, Scenario
from bench.simulation import derived, simulate

SECONDS = 600
RATES_AND_LATENCIES = [(2, 0.15), (2, 0.6), (5, 0.15), (5, 0.6)]


def surge(scenario: Scenario, seconds: float = SECONDS) -> Result:
    """Play a surge until the queue is empty."""
    return simulate(scenario, derived(scenario.rate), scenario.arrivals(seconds))


@pytest.mark.parametrize(("rate", "latency"), [(0.5, 0.15), (0.5, 0.6), *RATES_AND_LATENCIES])
def test_alone_the_function_uses_the_whole_quota_and_wastes_no_call(rate: float, latency: float) -> None:
    scenario = Scenario(rate, latency)
    result = surge(scenario)
    emails = len(result.accepted)
    assert emails == round(rate * SECONDS)
    assert result.share_of_quota_used(scenario, SECONDS) >= 0.97
    assert result.calls <= 1.02 * emails
    assert result.receives <= 1.05 * emails
    assert result.throttled <= 0.01 * result.calls
    assert result.dead == 0


def test_the_function_reaches_a_high_rate() -> None:
    scenario = Scenario(50)
    result = surge(scenario, seconds=60)
    assert result.share_of_quota_used(scenario, 60) >= 0.95  # of one minute, which begins with cold starts
    assert (result.calls, result.receives, result.dead) == (3_000, 3_000, 0)


@pytest.mark.parametrize(("rate", "latency"), RATES_AND_LATENCIES)
def test_what_another_caller_leaves_is_used(rate: float, latency: float) -> None:
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
def test_an_outage_costs_little_more_than_its_own_time(rate: float, latency: float) -> None:
    scenario = Scenario(rate, latency, outage=(200, 260))
    result = surge(scenario)
    emails = len(result.accepted)
    assert result.share_of_quota_used(scenario, SECONDS) >= 0.97
    assert result.calls <= 1.02 * emails
    assert result.receives <= 1.05 * emails
    assert result.dead == 0


@pytest.mark.parametrize("scenario", [Scenario(2, outage=(100, 3_700)), Scenario(2, full=(100, 3_700))])
def test_a_long_outage_costs_few_calls_and_sending_resumes_within_a_minute(scenario: Scenario) -> None:
    result = surge(scenario, seconds=4_200)
    during = result.calls - len(result.accepted)
    assert during <= derived(2).concurrency * 3_600 / 15 * 1.1  # in each environment, a call every 15 seconds
    assert min(at for at in result.accepted if at > 3_700) <= 3_760
    assert result.dead == 0


@pytest.mark.parametrize("rate", [2, 5, 50])
def test_a_lone_reply_never_waits_and_a_burst_of_five_hardly_does(rate: float) -> None:
    arrivals = [10.0 * n for n in range(5)] + [60.0 + 20 * burst for burst in range(4) for _ in range(5)]
    result = simulate(Scenario(rate), derived(rate), arrivals)
    waited = [result.waited[f"m{n}"] for n in range(len(arrivals))]
    assert max(waited[1:5]) < 0.1  # the first one meets a cold start
    assert result.throttled == 0
    warm = waited[15:]  # the first two bursts meet cold starts too
    # At 2 a second, the fifth is the third in its environment: two calls of 0.15 s and two polls come before it.
    assert max(warm) < (0.41 if rate == 2 else 0.01)
