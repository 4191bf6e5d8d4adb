"""The table "surge" in words: its settings, its figures, and what they mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Literal

from bench.load import BURST, BURSTS, LONE
from bench.report import markdown, number
from bench.scenario import Result, Scenario, ratio

type Trouble = Literal["none", "other-caller", "outage"]

EXPLANATION = """\
# Surge

Replies come a little faster than the quota lets them go, until as many have come as it lets through in the time given;
what it lets through in 20 s waits at the start. Each system is deployed to a local AWS of its own, with an emulated
Connect of its own, and both run at the same time, in warm environments (how Lambda comes to many is not played). The
peer (`bench/peer/`) is a handler and a stack as the documentation of Powertools and CDK would have one write them, with
the concurrency that this project derives. The other caller asks for half of the quota from the middle on, at random
moments, and gives up what is throttled. The outage (503) takes a tenth of the time, from a third on.

Each cell: **this project / the peer**. The share of the quota counts what was accepted until nine tenths of the time
were over or nine tenths of the replies accepted; with another caller, from the middle on, and of what that one left;
without the time of the outage. All else is counted until nothing was left on the queue; from the end of the time on,
moments in which nothing happened were skipped. Nothing was wrong with any reply: none should be dead-lettered. (A
contact takes one email. If the peer lost sight of one that it had sent, and sent it again, Connect refused it.)

"""
EXPLANATION_OF_WAITS = f"""
Seconds from enqueueing to the call that was accepted, before the surge: {LONE} replies that came alone
(their 99th percentile is about the longest), and {BURSTS} bursts of {BURST}.

"""


@dataclass(frozen=True)
class Setting:
    """A row of the table.

    Attributes:
        rate: The quota, in requests a second.
        latency: Of a call, in seconds.
        trouble: What else happens.
        seconds: For how long the surge takes up the quota.
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
                return Scenario(
                    self.rate, self.latency, outage=(self.seconds / 3, self.seconds / 3 + self.seconds / 10)
                )
            case _:
                return Scenario(self.rate, self.latency)

    def __str__(self) -> str:
        trouble = {"none": "", "other-caller": ", another caller", "outage": ", an outage"}[self.trouble]
        return f"{self.rate:g}/s, {self.latency * 1000:g} ms{trouble} ({self.seconds:g} s)"


@dataclass(frozen=True)
class Pair:
    """What a setting came to, for both."""

    setting: Setting
    ours: Result
    peers: Result


def in_words(pairs: Sequence[Pair]) -> str:
    """Return the tables, with their explanation."""
    surges = [[str(pair.setting), *(cell(figure, pair) for figure in FIGURES.values())] for pair in pairs]
    waited = [
        [str(pair.setting), *(cell(wait_of(kind, percentile), pair) for kind in KINDS for percentile in PERCENTILES)]
        for pair in pairs
        if pair.ours.waited
    ]
    percentiles = [f"{kind}, p{percentile}" for kind in KINDS.values() for percentile in PERCENTILES]
    text = EXPLANATION + markdown(["", *FIGURES], surges)
    return text + EXPLANATION_OF_WAITS + markdown(["", *percentiles], waited) if waited else text


def cell(figure: "Figure", pair: Pair) -> str:
    """This project's figure and the peer's."""
    return f"{figure(pair.setting, pair.ours)} / {figure(pair.setting, pair.peers)}"


def for_each_email(total: Callable[[Result], float]) -> "Figure":
    """A total, divided by the emails."""
    return lambda _, result: number(ratio(total(result), len(result.accepted)))


def wait_of(kind: str, percentile: int) -> "Figure":
    """A percentile of the waits of one kind of replies."""

    def figure(_: Setting, result: Result) -> str:
        waited = [seconds for contact, seconds in result.waited.items() if contact.startswith(kind)]
        return f"{quantiles(waited, n=100, method='inclusive')[percentile - 1]:.2f}"

    return figure


type Figure = Callable[[Setting, Result], str]

KINDS = {"lone": "alone", "burst": "burst of 5"}
PERCENTILES = (50, 99)
FIGURES: dict[str, Figure] = {
    "share of the quota": lambda setting, result: number(result.share_of_quota_used(setting.scenario, setting.seconds)),
    "calls an email": for_each_email(lambda result: result.calls),
    "receives an email": for_each_email(lambda result: result.receives),
    "billed seconds an email": for_each_email(lambda result: result.billed_seconds),
    "throttled calls": lambda _, result: f"{ratio(result.throttled, result.calls):.1%}",
    "throttled while alone": lambda _, result: f"{ratio(result.throttled_alone, result.calls):.1%}",
    "dead-lettered": lambda _, result: str(result.dead),
    "other caller got": lambda setting, result: number(result.share_of_other_caller(setting.scenario, setting.seconds)),
}
