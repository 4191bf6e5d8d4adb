"""What drafts leave of an instance's active emails, on the simulated clock."""

from dataclasses import replace

import pytest

from bench.drafts import HOUR, ROWS, DraftScenario, simulate
from bench.simulation import derived

ENVIRONMENTS = derived(2).concurrency


@pytest.mark.parametrize("latency", [0.15, 0.6])
def test_a_full_instance_sends_all_replies_and_refuses_no_inbound_email(latency: float) -> None:
    scenario = DraftScenario(2, latency, capacity=50, inbound_every=3)
    result = simulate(scenario, [0.0] * 600)
    assert (len(result.accepted), len(result.sent_twice), result.dead) == (600, 0, 0)
    assert result.inbound_refused == 0
    assert result.peak_of_drafts <= ENVIRONMENTS
    assert result.share_of_quota(scenario) >= 0.97
    assert max(result.calls, result.create_calls) <= 1.03 * 600


def test_replies_that_connect_refuses_leave_no_drafts() -> None:
    result = simulate(DraftScenario(2, refuses=True), [0.0] * 300)
    assert result.dead == 300
    assert result.peak_of_drafts <= ENVIRONMENTS + 5


@pytest.mark.parametrize("name", ["Connect is down for an hour", "the table takes no writes for an hour"])
def test_an_outage_leaves_few_drafts_in_each_environment(name: str) -> None:
    scenario, _ = ROWS[name]
    start = 60
    outage = (start, start + HOUR)
    scenario = replace(scenario, outage=outage) if scenario.outage else replace(scenario, table_outage=outage)
    result = simulate(scenario, [0.0] * 300)
    assert (len(result.accepted), len(result.sent_twice)) == (300, 0)
    assert result.peak_of_drafts <= 20 * ENVIRONMENTS
