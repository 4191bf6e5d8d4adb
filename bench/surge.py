"""The table "surge": how much of the quota a surge gets, and what it costs."""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import batched, groupby
from pathlib import Path

from bench.counting import Receives
from bench.load import surge, waits, warm_up
from bench.peer import PEER
from bench.plot import Panel, plot
from bench.scenario import Result
from bench.surge_table import Pair, Setting, Trouble, in_words
from local.cdk import REPLY_COURIER, CdkApp
from local.system import LocalCourier, running

SECONDS: dict[Trouble, float] = {"none": 300, "other-caller": 300, "outage": 600}
"""For how long a surge takes up the quota."""
ENVIRONMENTS = 110
"""Execution environments at once: some 6 GB."""


def table(settings: Sequence[Setting], environments: int, image: Path | None) -> str:
    """Measure both systems in every setting, and return the tables in Markdown.

    Args:
        settings: The rows.
        environments: How many execution environments the machine has room for.
        image: Where to draw emails accepted over time, if anywhere.
    """
    if image:
        image.touch()  # rather fail now than in two hours
    pairs = [pair for group in groups(settings, environments) for pair in measure(group)]
    if not image:
        return in_words(pairs)
    shown = min((pair.setting.rate, pair.setting.latency) for pair in pairs)
    panels = [panel(pair) for pair in pairs if (pair.setting.rate, pair.setting.latency) == shown]
    plot(image, f"A surge at {shown[0]:g} emails a second: what the quota gives, and the calls that it takes", panels)
    return f"{in_words(pairs)}\n![Emails accepted and calls made over time, and the quota]({image.name})\n"


def groups(settings: Sequence[Setting], environments: int) -> list[list[Setting]]:
    """Settings that run at the same time: neighbours of the same rate, as far as the machine has room."""
    by_rate = [list(some) for _, some in groupby(settings, key=lambda setting: setting.rate)]
    return [
        list(group) for some in by_rate for group in batched(some, at_once(some[0].rate, environments), strict=False)
    ]


def at_once(rate: float, environments: int) -> int:
    """How many settings of a rate run at the same time; each takes about one environment a second, twice."""
    return max(1, int(environments // (2 * max(2, rate))))


def measure(settings: Sequence[Setting]) -> list[Pair]:
    """Deploy both systems for each setting, and let all surges come at the same time."""
    with ExitStack() as started:

        def start(app: CdkApp, **context: str) -> tuple[LocalCourier, Receives]:
            receives = Receives()
            say = partial(print, " ", file=sys.stderr)
            return started.enter_context(running(say, context=context, around=receives.around, app=app)), receives

        systems = []
        for setting in settings:
            ours = start(REPLY_COURIER, sendRate=f"{setting.rate:g}")
            systems += [(setting, ours), (setting, start(PEER, maxConcurrency=str(len(ours[0].environments))))]
        with ThreadPoolExecutor(len(systems)) as pool:
            list(pool.map(lambda system: warm_up(system[1][0]), systems))
            results = list(pool.map(lambda system: run(system[0], *system[1]), systems))
    pairs = [Pair(*each) for each in zip(settings, results[::2], results[1::2], strict=True)]
    print(in_words(pairs), file=sys.stderr)
    return pairs


def run(setting: Setting, courier: LocalCourier, receives: Receives) -> Result:
    """Let a surge come to one system; where there is no trouble, lone replies and bursts before it."""
    waited = waits(courier, setting.scenario) if setting.trouble == "none" else {}
    result = surge(courier, receives, setting.scenario, setting.seconds)
    result.waited = waited
    print(f"{courier.function.name}, {setting}: {len(result.accepted)} accepted", file=sys.stderr)
    return result


def panel(pair: Pair) -> Panel:
    """What to draw of a setting."""
    scenario = pair.setting.scenario
    results = {"this project": pair.ours, "plain peer": pair.peers}
    curves = {name: result.accepted for name, result in results.items()}
    called = {name: result.called for name, result in results.items()}
    titles = {"none": "alone", "other-caller": "another caller comes halfway", "outage": "Connect fails for a while"}
    return Panel(titles[pair.setting.trouble], pair.setting.seconds, scenario.left, curves, called)
