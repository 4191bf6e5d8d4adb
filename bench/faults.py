"""The table "faults": what becomes of replies when everything fails that can fail."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from bench.peer import PEER
from bench.report import markdown
from bench.storm import WORLDS, Storm, run
from bench.tally import Tally
from local.cdk import REPLY_COURIER, CdkApp
from local.system import running

SEND_RATE = 40
"""Replies a second: enough for many environments at once. Connect's own quota is so high that it has no effect."""
SYSTEMS = {
    "reply-courier": (REPLY_COURIER, {"sendRate": str(SEND_RATE)}),
    "peer": (PEER, {}),
    "peer without client token": (PEER, {"omitClientToken": "true"}),
}
EXPLANATION = """\
# Faults

The same replies go through the same faults, drawn at random from the same seeds. Of a hundred replies, four are to a
contact that doesn't exist, four are to a contact that exists only from the first redrive on, and six are invalid. The
faults: the function is killed. Connect closes connections before or after it accepts a reply, doesn't answer, fails,
throttles, and denies access or capacity. Calls to SQS fail. SQS delivers messages twice. After that, the dead-letter
queue is redriven twice, as the SQS console does it: each message gets a new id.

The peer (`bench/peer/`) is a handler and a stack written after the documentation of Powertools and CDK. Its client
token is the message id. In the last column it passes none. In this emulated Connect a contact takes a second email.
(AWS doesn't document this. If a contact takes only one, Connect refuses the second.) The figures are from Connect's
own record and the dead-letter queue.

"""


@dataclass(frozen=True)
class Outcome:
    """One system's run through the storm.

    Attributes:
        tally: What became of the replies.
        cut_off: Invocations that were killed or timed out.
        concurrency: Execution environments.
    """

    tally: Tally
    cut_off: int
    concurrency: int


def table(seeds: Sequence[int], replies: int) -> str:
    """Run each system with each seed, and return the sums in Markdown."""
    outcomes: dict[str, list[Outcome]] = {name: [] for name in SYSTEMS}
    concurrency = SEND_RATE
    for seed in seeds:
        for name, (app, context) in SYSTEMS.items():
            settings = context if app is REPLY_COURIER else {"maxConcurrency": str(concurrency), **context}
            outcome = send_through_storm(app, settings, seed, replies)
            print(f"{name}, seed {seed}: {outcome}", file=sys.stderr)
            concurrency = outcome.concurrency
            outcomes[name].append(outcome)
    return to_markdown(seeds, outcomes)


def send_through_storm(app: CdkApp, context: Mapping[str, str], seed: int, replies: int) -> Outcome:
    """Deploy a system, and send replies through it while everything fails that can fail."""
    storm = Storm(Random(seed))
    with running(partial(print, " ", file=sys.stderr), context=context, around=storm.around, app=app) as courier:
        result = run(courier, storm, replies, WORLDS[0])
        concurrency = len(courier.environments)
    return Outcome(result, storm.struck["Runtime.ExitError"] + storm.struck["Sandbox.Timedout"], concurrency)


def to_markdown(seeds: Sequence[int], outcomes: Mapping[str, Sequence[Outcome]]) -> str:
    """Return the table with the sums of all runs, and its explanation."""
    rows = [[name, *map(figure, outcomes.values())] for name, figure in FIGURES.items()]
    return f"{EXPLANATION}{markdown(['', *outcomes], rows)}\nSeeds: {', '.join(map(str, seeds))}.\n"


def _sum(figure: Callable[[Outcome], int]) -> Callable[[Sequence[Outcome]], str]:
    return lambda outcomes: str(sum(map(figure, outcomes)))


def _calls_for_each_email(outcomes: Sequence[Outcome]) -> str:
    sent = sum(outcome.tally.sent for outcome in outcomes)
    return f"{sum(outcome.tally.calls for outcome in outcomes) / sent:.2f}" if sent else "-"


FIGURES: dict[str, Callable[[Sequence[Outcome]], str]] = {
    "replies": _sum(lambda outcome: outcome.tally.replies),
    "sent": _sum(lambda outcome: outcome.tally.sent),
    "lost": _sum(lambda outcome: len(outcome.tally.lost)),
    "sent twice": _sum(lambda outcome: len(outcome.tally.twice)),
    "attempted with more than one token": _sum(lambda outcome: len(outcome.tally.several_tokens)),
    "dead-lettered without reason": _sum(lambda outcome: len(outcome.tally.without_reason)),
    "dead-lettered though nothing was wrong": _sum(lambda outcome: len(outcome.tally.dead_though_sound)),
    "calls for each email": _calls_for_each_email,
    "invocations cut off": _sum(lambda outcome: outcome.cut_off),
}
