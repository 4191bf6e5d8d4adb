"""The table "faults": what becomes of replies when everything fails that can."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from bench.chaos.run import run
from bench.chaos.storm import Storm
from bench.chaos.tally import Account
from bench.peer import PEER
from bench.report import markdown
from local.cdk import REPLY_COURIER, CdkApp
from local.system import running

SEND_RATE = 40
"""Replies a second: enough for many environments at once. Connect's own quota is out of the way."""
EXPLANATION = """\
# Faults

The same replies go through the same faults, drawn at random from the same seeds. Of a hundred replies four are to a
contact that does not exist, four to one that exists only from the first redrive on, and six are broken. The function is
killed; connections to Connect are dropped before and after it accepted; it hangs, fails, throttles, refuses for want of
access or capacity; calls to SQS fail; SQS hands messages out twice. What is on the dead-letter queue is redriven
twice, as the console does it. The peer (`bench/peer/`) is a handler and a stack as the documentation of Powertools and
CDK would have one write them, and passes no client token. A contact takes a second email here (AWS does not document
whether it does; if not, a second one is refused). Counted from the emulated Connect's own record and the dead-letter
queue.

"""


@dataclass(frozen=True)
class Outcome:
    """One system's run through the storm.

    Attributes:
        account: What became of the replies.
        cut_off: Invocations that did not end by themselves: killed or timed out.
        concurrency: Execution environments.
    """

    account: Account
    cut_off: int
    concurrency: int


def table(seeds: Sequence[int], replies: int) -> str:
    """Run both systems with each seed, and return the sums in Markdown."""
    ours, peers = [], []
    for seed in seeds:
        ours.append(through_storm(REPLY_COURIER, {"sendRate": str(SEND_RATE)}, seed, replies))
        peers.append(through_storm(PEER, {"maxConcurrency": str(ours[-1].concurrency)}, seed, replies))
    return in_words(seeds, ours, peers)


def through_storm(app: CdkApp, context: Mapping[str, str], seed: int, replies: int) -> Outcome:
    """Deploy a system, and send replies through it while everything fails that can."""
    storm = Storm(Random(seed))
    with running(partial(print, " ", file=sys.stderr), context=context, around=storm.around, app=app) as courier:
        account = run(courier, storm, replies, repeat="same_contact")
        concurrency = len(courier.environments)
    outcome = Outcome(account, storm.struck["Runtime.ExitError"] + storm.struck["Sandbox.Timedout"], concurrency)
    print(f"{app.stack}, seed {seed}: {outcome}", file=sys.stderr)
    return outcome


def in_words(seeds: Sequence[int], ours: Sequence[Outcome], peers: Sequence[Outcome]) -> str:
    """Return the table of all runs together, with its explanation."""
    rows = [[name, figure(ours), figure(peers)] for name, figure in FIGURES.items()]
    return f"{EXPLANATION}{markdown(['', 'reply-courier', 'peer'], rows)}\nSeeds: {', '.join(map(str, seeds))}.\n"


def _sum(figure: Callable[[Outcome], int]) -> Callable[[Sequence[Outcome]], str]:
    return lambda outcomes: str(sum(map(figure, outcomes)))


def _calls_for_each_email(outcomes: Sequence[Outcome]) -> str:
    sent = sum(outcome.account.sent for outcome in outcomes)
    return f"{sum(outcome.account.calls for outcome in outcomes) / sent:.2f}" if sent else "-"


FIGURES: dict[str, Callable[[Sequence[Outcome]], str]] = {
    "replies": _sum(lambda outcome: outcome.account.replies),
    "sent": _sum(lambda outcome: outcome.account.sent),
    "lost": _sum(lambda outcome: len(outcome.account.lost)),
    "sent twice": _sum(lambda outcome: len(outcome.account.twice)),
    "dead-lettered without reason": _sum(lambda outcome: len(outcome.account.without_reason)),
    "dead-lettered though nothing was wrong": _sum(lambda outcome: len(outcome.account.dead_though_sound)),
    "calls for each email": _calls_for_each_email,
    "invocations cut off": _sum(lambda outcome: outcome.cut_off),
}
