"""The table "backlog": a quarter of a million replies, on the simulated clock."""

from collections.abc import Callable

from bench.drafts import DraftScenario
from bench.drafts import simulate as simulate_drafts
from bench.report import markdown
from bench.scenario import Result, Scenario
from bench.simulation import derived, simulate

DAY = 86_400
SCENARIOS = {
    "2/s": Scenario(2),
    "2/s, an hour's outage": Scenario(2, outage=(DAY, DAY + 3_600)),
    "500/s": Scenario(500),
    "500/s, an hour's outage": Scenario(500, outage=(100, 3_700)),
    "2/s, drafts": DraftScenario(2),
}
EXPLANATION = """\
# A backlog

A producer puts {replies:,} replies on the queue at once. The function's own code sends them on a simulated clock
(`bench/simulation.py`), with the capacity that the stack derives, until none is left. A call takes 150 ms. In the
last column the function makes the drafts. In the others, drafts don't expire; in Connect they do
([runbook](../../docs/runbook.md#a-backlog)).

"""
FIGURES: dict[str, Callable[[Result], str]] = {
    "days until all are sent": lambda result: f"{max(result.accepted) / DAY:.3f}",
    "emails": lambda result: f"{len(result.accepted):,}",
    "calls for each email": lambda result: f"{result.calls / len(result.accepted):.4f}",
    "receives for each email": lambda result: f"{result.receives / len(result.accepted):.4f}",
    "throttled calls": lambda result: f"{result.throttled:,}",
    "dead-lettered": lambda result: f"{result.dead:,}",
    "highest age at acceptance, in days": lambda result: f"{max(result.waited.values()) / DAY:.3f}",
    "billed days of the function": lambda result: f"{result.billed_seconds / DAY:.1f}",
}


def table(replies: int) -> str:
    """Drain a backlog in every scenario, and return the table in Markdown."""
    arrivals = [0.0] * replies
    results = [
        simulate_drafts(scenario, arrivals)
        if isinstance(scenario, DraftScenario)
        else simulate(scenario, derived(scenario.rate), arrivals)
        for scenario in SCENARIOS.values()
    ]
    rows = [[name, *map(figure, results)] for name, figure in FIGURES.items()]
    return EXPLANATION.format(replies=replies) + markdown(["", *SCENARIOS], rows)
