"""The table "surge": how much of the quota a surge gets, and what it costs."""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Literal

from bench.load import Receives, surge, warm_up
from bench.peer import PEER
from bench.plot import Panel, plot
from bench.report import markdown
from bench.scenario import Result, Scenario, ratio
from local.cdk import REPLY_COURIER, CdkApp
from local.system import LocalCourier, running

type Trouble = Literal["none", "other-caller", "outage"]

SECONDS: dict[Trouble, float] = {"none": 300, "other-caller": 300, "outage": 600}
"""How long a surge takes up the quota."""
TITLES = {"none": "alone", "other-caller": "another caller comes halfway", "outage": "Connect fails for a while"}
"""Of the picture's panels."""
EXPLANATION = """\
# Surge

Replies arrive a little faster than the quota lets them go, until as many have arrived as it lets through in the time
given. Those of the first 20 s wait at the start. Each system is deployed to its own local AWS with its own emulated
Connect, and all rows of a rate run at the same time, in warm environments. (The emulation doesn't play how Lambda adds
environments.) The peer (`bench/peer/`) is a handler and a stack written after the documentation of Powertools and CDK.
Its client token is the message id, and its maximum concurrency is reply-courier's. The other caller asks for half of
the quota from the middle on, at random moments, and drops throttled calls. The outage (503) lasts a tenth of the time,
and begins after a third.

Each cell: **reply-courier / the peer**. The share of the quota counts the emails that Connect accepted until nine
tenths of the time were over, or nine tenths of the replies accepted. It excludes the time of the outage. With another
caller, it begins in the middle, and counts what that caller left. All other figures count until the queue was empty.
Nothing was wrong with any reply, so none should be dead-lettered.

"""


@dataclass(frozen=True)
class Setting:
    """A row of the table.

    Attributes:
        rate: The quota, in requests a second.
        latency: Of a call, in seconds.
        trouble: What else happens.
        seconds: How long the surge takes up the quota.
    """

    rate: float
    latency: float
    trouble: Trouble
    seconds: float

    @property
    def scenario(self) -> Scenario:
        """What Connect does."""
        match self.trouble:
            case "other-caller":
                return Scenario(self.rate, self.latency, other_from=self.seconds / 2)
            case "outage":
                start = self.seconds / 3
                return Scenario(self.rate, self.latency, outage=(start, start + self.seconds / 10))
            case _:
                return Scenario(self.rate, self.latency)

    def __str__(self) -> str:
        trouble = {"none": "", "other-caller": ", another caller", "outage": ", an outage"}[self.trouble]
        return f"{self.rate:g}/s, {self.latency * 1000:g} ms{trouble} ({self.seconds:g} s)"


@dataclass(frozen=True)
class Pair:
    """The results of both systems in a setting."""

    setting: Setting
    ours: Result
    peers: Result


def table(settings: Sequence[Setting], image: Path | None) -> str:
    """Measure both systems in every setting, and return the table in Markdown.

    Args:
        settings: The rows. Neighbours with the same rate run at the same time.
        image: The file for the picture of the lowest rate and latency, if any.
    """
    if image:
        image.touch()  # fail now rather than after the measurement
    pairs = [pair for _, rows in groupby(settings, key=lambda setting: setting.rate) for pair in measure(list(rows))]
    if not image:
        return to_markdown(pairs)
    rate, latency = shown = min((pair.setting.rate, pair.setting.latency) for pair in pairs)
    panels = [panel(pair) for pair in pairs if (pair.setting.rate, pair.setting.latency) == shown]
    headline = f"A surge at {rate:g} emails a second, {latency * 1000:g} ms a call: emails, and the calls for them"
    plot(image, headline, panels)
    return f"{to_markdown(pairs)}\n![Emails accepted and calls made over time, and the quota]({image.name})\n"


def measure(settings: Sequence[Setting]) -> list[Pair]:
    """Deploy both systems for each setting, and play all surges at the same time."""
    with ExitStack() as started:

        def start(app: CdkApp, **context: str) -> tuple[LocalCourier, Receives]:
            receives = Receives()
            print_line = partial(print, " ", file=sys.stderr)
            return started.enter_context(
                running(print_line, context=context, around=receives.around, app=app)
            ), receives

        systems = []
        for setting in settings:
            ours = start(REPLY_COURIER, sendRate=f"{setting.rate:g}")
            systems += [(setting, *ours), (setting, *start(PEER, maxConcurrency=str(len(ours[0].environments))))]
        with ThreadPoolExecutor(len(systems)) as pool:
            list(pool.map(lambda system: warm_up(system[1]), systems))
            results = list(pool.map(lambda system: run(*system), systems))
    pairs = [Pair(*each) for each in zip(settings, results[::2], results[1::2], strict=True)]
    print(to_markdown(pairs), file=sys.stderr)
    return pairs


def run(setting: Setting, courier: LocalCourier, receives: Receives) -> Result:
    """Play a surge on one system."""
    result = surge(courier, receives, setting.scenario, setting.seconds)
    print(f"{courier.function.name}, {setting}: {len(result.accepted)} accepted", file=sys.stderr)
    return result


def panel(pair: Pair) -> Panel:
    """Return the picture's panel for a setting."""
    results = {"reply-courier": pair.ours, "peer": pair.peers}
    return Panel(
        TITLES[pair.setting.trouble],
        pair.setting.seconds,
        pair.setting.scenario.left,
        accepted={name: result.accepted for name, result in results.items()},
        called={name: result.called for name, result in results.items()},
    )


def to_markdown(pairs: Sequence[Pair]) -> str:
    """Return the table, with its explanation."""
    rows = [
        [
            str(pair.setting),
            *(f"{figure(pair.setting, pair.ours)} / {figure(pair.setting, pair.peers)}" for figure in FIGURES.values()),
        ]
        for pair in pairs
    ]
    return EXPLANATION + markdown(["", *FIGURES], rows)


type Figure = Callable[[Setting, Result], str]


def for_each_email(total: Callable[[Result], float]) -> Figure:
    """Return the figure that divides a total by the emails."""
    return lambda _, result: number(ratio(total(result), len(result.accepted)))


def number(value: float) -> str:
    """Return three digits, or a dash for NaN: there was nothing to measure."""
    return f"{value:.3f}".replace("nan", "-")


FIGURES: dict[str, Figure] = {
    "share of the quota": lambda setting, result: number(result.share_of_quota_used(setting.scenario, setting.seconds)),
    "calls for each email": for_each_email(lambda result: result.calls),
    "receives for each email": for_each_email(lambda result: result.receives),
    "billed seconds for each email": for_each_email(lambda result: result.billed_seconds),
    "throttled calls": lambda _, result: f"{ratio(result.throttled, result.calls):.1%}",
    "throttled while alone": lambda _, result: f"{ratio(result.throttled_alone, result.calls):.1%}",
    "dead-lettered": lambda _, result: str(result.dead),
    "other caller got": lambda setting, result: number(result.share_of_other_caller(setting.scenario, setting.seconds)),
}
