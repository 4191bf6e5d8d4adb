"""The table "simulated": surges on the simulated clock, at rates and for times that no laptop can play."""

from bench.report import markdown
from bench.simulated.simulation import derived, simulate
from bench.surge_table import FIGURES, Setting

SETTINGS = [
    *(
        Setting(rate, latency, trouble, 600)
        for rate in (0.5, 2, 5, 50)
        for trouble in ("none", "other-caller", "outage")
        for latency in (0.15, 0.6)
    ),
    Setting(500, 0.15, "none", 60),
]
EXPLANATION = """\
# Simulated surges

The surges of [surge.md](surge.md), played for the function's own code alone on a simulated clock
(`bench/simulated/`), with the numbers that the stack derives. The first seconds hold the cold starts.

"""


def table(settings: list[Setting]) -> str:
    """Play each setting, and return what it took in Markdown."""
    rows = []
    for setting in settings:
        result = simulate(setting.scenario, derived(setting.rate), setting.scenario.arrivals(setting.seconds))
        rows.append([str(setting), *(figure(setting, result) for figure in FIGURES.values())])
    return EXPLANATION + markdown(["", *FIGURES], rows)
