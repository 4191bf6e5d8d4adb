"""What became of replies that were put on the queue again: sent, back on the dead-letter queue, or not known yet."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from contract.identifier import is_identifier
from courier import output
from courier.dead_letters import printable_identifier
from courier.errors import explain
from courier.output import format_age, format_counts, waiting
from courier.trace.log import LogSearch, LogSearchError, ended_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from courier.aws import Account
    from courier.trace.log import LogLine

PAUSES = (1.0, 2.0, 5.0)
"""Seconds between looks at the log, then the last one again and again. CloudWatch has a line some seconds after it was
written."""


CLOCKS_SECONDS = 600
"""How far this machine's clock may be from AWS's: so much more of the log is searched."""


@dataclass
class Outcomes:
    """What became of each reply, as the function's log tells.

    A token is a reply's for all its life, so that lines of its earlier lives have it too. Only those count whose
    message came to the queue after the letter had come to the dead-letter queue, both by SQS's clock.

    Attributes:
        replayed: For each client token when its letter had come, in seconds since the epoch.
        sent: Tokens of replies that are sent.
        came_back: For tokens of replies that were dead-lettered again, the reason.
    """

    replayed: Mapping[str, float]
    sent: set[str] = field(default_factory=set)
    came_back: dict[str, str] = field(default_factory=dict)

    def update(self, lines: Iterable[LogLine]) -> None:
        """Take what the log says, in any order, each line any number of times. Sent once is sent."""
        for line in lines:
            token = line.token
            if token is None or token not in self.replayed or (line.enqueued_at or 0) <= self.replayed[token]:
                continue
            if line.event in {"reply_sent", "reply_already_sent"}:
                self.sent.add(token)
                self.came_back.pop(token, None)
            elif line.event == "reply_dead_lettered" and token not in self.sent:
                self.came_back[token] = line.reason or "no reason"

    @property
    def not_known(self) -> AbstractSet[str]:
        """Tokens of replies that wait, or whose line cannot be searched yet."""
        return self.replayed.keys() - self.sent - self.came_back.keys()

    @property
    def withheld(self) -> AbstractSet[str]:
        """Those of `not_known` that the log never tells: a token that may hold an address is not logged."""
        return {token for token in self.not_known if not is_identifier(token)}

    @property
    def all_sent(self) -> bool:
        """Whether every reply is sent."""
        return self.sent == self.replayed.keys()

    def to_json(self) -> dict[str, Any]:
        """As `replay --json` writes it; a token that may not be printed is counted only."""
        return {
            "sent": sorted(self.sent),
            "came_back": dict(sorted(self.came_back.items())),
            "not_known": sorted(self.not_known - self.withheld),
            "withheld": len(self.withheld),
        }


@dataclass(frozen=True)
class Watch:
    """Looks at the function's log until it tells what became of replies.

    Attributes:
        account: Where.
        now: Seconds since the epoch.
        clock: Seconds, never going back.
        sleep: Waits a number of seconds.
    """

    account: Account
    now: Callable[[], float]
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    def look(self, outcomes: Outcomes, since: float) -> bool:
        """Look once; return whether there is a log to look at: no stack names one for queues that were given.

        Args:
            outcomes: Is told what the log says.
            since: When the first of the replies was put on the queue, in seconds since the epoch.

        Raises:
            courier.tracing.log_search.LogSearchError: The log could not be searched.
            botocore.exceptions.ClientError, BotoCoreError: CloudWatch refused it.
        """
        log_group = self.account.known_output("LogGroupName")
        if log_group is None:
            return False
        begin, end = since - CLOCKS_SECONDS, self.now() + CLOCKS_SECONDS
        search = LogSearch(self.account.logs, log_group, begin, end, sleep=self.sleep, clock=self.clock)
        outcomes.update(search.ask(ended_query()))
        return True

    def wait(self, outcomes: Outcomes, since: float, seconds: float) -> None:
        """Look until it is known of each reply whether it is sent or came back, or so many seconds are over.

        Raises what `look` does.
        """
        ends = self.clock() + seconds
        pauses = iter(PAUSES)
        there_is_a_log = self.look(outcomes, since)
        while there_is_a_log and outcomes.not_known - outcomes.withheld and self.clock() < ends:
            self.sleep(min(next(pauses, PAUSES[-1]), max(0.0, ends - self.clock())))
            # A look finds the newest lines, as many as an answer has room for: those before have been heard.
            self.look(outcomes, max(since, self.now() - CLOCKS_SECONDS))


PATIENCE_SECONDS = 900
"""How long a wait lasts at the most, where the operator does not say. A reply that Connect puts off waits longer."""


def wait_for_outcomes(account: Account, outcomes: Outcomes, since: float, *, wait: bool, timeout: float | None) -> None:
    """Have the function's log tell what became of replies; where it cannot, a person is told, and nothing else stops.

    Args:
        account: Where.
        outcomes: What became of them, as far as it is known.
        since: When the first of them was put on the queue, in seconds since the epoch.
        wait: Whether to wait until each is sent or back.
        timeout: How long, in seconds; None is PATIENCE_SECONDS.
    """
    watch = Watch(account, time.time, time.monotonic, time.sleep)
    seconds = PATIENCE_SECONDS if timeout is None else timeout
    try:
        if not wait:
            watch.look(outcomes, since)
            return
        with waiting(f"Waiting until each is sent or back, {format_age(seconds)} at most; Ctrl-C ends it"):
            watch.wait(outcomes, since, seconds)
    except LogSearchError as error:
        output.warn(str(error))
    except (BotoCoreError, ClientError) as error:
        output.warn(explain(error, account))


def summarize(outcomes: Outcomes) -> str:
    """How many are sent, came back, or are not known yet: "3 sent, 1 came back (1 NotFound), 0 not known yet"."""
    reasons = f" ({format_counts(Counter(outcomes.came_back.values()))})" if outcomes.came_back else ""
    back, open_ = len(outcomes.came_back), len(outcomes.not_known)
    return f"{len(outcomes.sent)} sent, {back} came back{reasons}, {open_} not known yet"


def suggest_next(outcomes: Outcomes, since: float) -> None:
    """Name the command that tells why replies came back, and the one that tells what becomes of the others."""
    recent = f"--newer-than {max(1, math.ceil((time.time() - since) / 3600))}h"
    if outcomes.came_back:
        output.warn(f"Why: {_trace_command(outcomes.came_back.keys()) or f'courier dlq groups {recent}'}")
    if not_known := outcomes.not_known:
        many = f"courier status; those that came back: courier dlq list {recent}"
        output.warn(f"What becomes of {'it' if len(not_known) == 1 else 'them'}: {_trace_command(not_known) or many}")


def _trace_command(tokens: AbstractSet[str]) -> str | None:
    """The command that tells of a single reply, if its token may be printed."""
    one = printable_identifier(next(iter(tokens))) if len(tokens) == 1 else None
    return f"courier trace {one}" if one else None
