"""The table "backlog"."""

from bench.backlog import SCENARIOS

REPLIES = 250_000


def test_every_outage_begins_before_the_backlog_is_sent() -> None:
    for scenario in SCENARIOS.values():
        if scenario.outage:
            assert scenario.outage[0] < REPLIES / scenario.rate
            assert scenario.outage[1] - scenario.outage[0] == 3600
