"""The table of a million replies."""

from bench.simulated.backlog import SCENARIOS

MILLION = 1_000_000


def test_every_outage_comes_while_the_backlog_is_there() -> None:
    for scenario in SCENARIOS.values():
        if scenario.outage:
            assert scenario.outage[0] < MILLION / scenario.rate
            assert scenario.outage[1] - scenario.outage[0] == 3600
