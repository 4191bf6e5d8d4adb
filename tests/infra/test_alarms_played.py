"""The alarms on the metrics of a run: the function's own code, a queue and Connect on a simulated clock."""

import pytest

from bench.scenario import Scenario
from bench.simulation import derived, simulate
from tests.infra.conftest import Template
from tests.infra.metric_maths import goes_off
from tests.infra.test_alarms import alarms

HOUR = 3_600
ONE_A_MINUTE = [60.0 * n for n in range(8 * 60)]
BUSY = [2.0 * n for n in range(4 * 1_800)]
PLAYED = {
    "a quiet day": (Scenario(2), ONE_A_MINUTE, set()),
    "a busy one": (Scenario(2), BUSY, set()),
    "Connect fails for five minutes": (Scenario(2, outage=(HOUR, HOUR + 300)), ONE_A_MINUTE, set()),
    "Connect fails for two hours": (
        Scenario(2, outage=(HOUR, 3 * HOUR)),
        ONE_A_MINUTE,
        {"NoRepliesSent", "ConnectUnavailable"},
    ),
    "Connect fails for two hours on a busy day": (
        Scenario(2, outage=(HOUR, 3 * HOUR)),
        BUSY,
        {"NoRepliesSent", "ConnectUnavailable", "SlowerThanSendRate"},  # the backlog waits in the queue as well
    ),
    "Connect is full for two hours": (
        Scenario(2, full=(HOUR, 3 * HOUR)),
        ONE_A_MINUTE,
        {"NoRepliesSent", "ActiveEmailsFull"},
    ),
}


@pytest.mark.parametrize("played", PLAYED)
def test_what_goes_off_in_a_run(template: Template, played: str) -> None:
    scenario, arrivals, expected = PLAYED[played]
    minutes = simulate(scenario, derived(scenario.rate), arrivals, with_metrics=True).minutes
    assert {name for name, alarm in alarms(template).items() if any(goes_off(alarm, minutes))} == expected


def test_the_alarms_of_an_outage_are_over_when_it_is(template: Template) -> None:
    minutes = simulate(Scenario(2, outage=(HOUR, 3 * HOUR)), derived(2), ONE_A_MINUTE, with_metrics=True).minutes
    on = goes_off(alarms(template)["ConnectUnavailable"], minutes)
    assert on.index(True) * 5 >= 60  # not before it began
    assert not any(on[-(3 * 60) // 5 :])
