"""What happened to replies that were put on the queue again: sent, back on the dead-letter queue, or not known yet."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from contract.client_token import is_identifier
from courier import output
from courier.dead_letters import printable_identifier
from courier.errors import explain
from courier.trace.log import LogSearch, LogSearchError, ended_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet

    from courier.aws import Account
    from courier.trace.log import LogLine

PAUSES = (1.0, 2.0, 5.0)
"""Seconds between two searches of the log, the last one again and again. A line is searchable after some seconds."""
CLOCK_SKEW_SECONDS = 600
"""How far this machine's clock may be from AWS's: the search covers that much more of the log."""
MAX_WAIT_SECONDS = 900
"""The longest wait unless the operator sets one. A reply that Connect puts off waits longer."""


@dataclass
class Outcomes:
    """What the function's log says of each reply.

    A reply keeps its token for its whole life, so the log also has lines from before. A line counts only if its
    message came to the queue after the letter had come to the dead-letter queue, both by SQS's clock.

    Attributes:
        replayed: For each client token, when its letter had come to the dead-letter queue, in seconds since the epoch.
        sent: Tokens of replies that were sent.
        came_back: The reason for each token whose reply was dead-lettered again.
    """

    replayed: dict[str, float] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    came_back: dict[str, str] = field(default_factory=dict)

    def update(self, lines: Iterable[LogLine]) -> None:
        """Add what the log says. Lines come in any order, and any number of times. Sent once is sent."""
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
        """Tokens of replies that still wait, or whose line is not searchable yet."""
        return self.replayed.keys() - self.sent - self.came_back.keys()

    @property
    def withheld(self) -> AbstractSet[str]:
        """Those of `not_known` that the log never names, because the token may hold an address."""
        return {token for token in self.not_known if not is_identifier(token)}

    @property
    def all_sent(self) -> bool:
        """Whether every reply was sent."""
        return self.sent == self.replayed.keys()

    def __str__(self) -> str:
        """Such as "3 sent, 1 came back (1 NotFound), 0 not known yet"."""
        reasons = f" ({output.format_counts(Counter(self.came_back.values()))})" if self.came_back else ""
        return f"{len(self.sent)} sent, {len(self.came_back)} came back{reasons}, {len(self.not_known)} not known yet"

    def to_json(self) -> dict[str, Any]:
        """As `replay --json` writes it; a token that may not be printed is only counted."""
        return {
            "sent": sorted(self.sent),
            "came_back": dict(sorted(self.came_back.items())),
            "not_known": sorted(self.not_known - self.withheld),
            "withheld": len(self.withheld),
        }


@dataclass(frozen=True)
class OutcomeWatch:
    """Searches the function's log for outcomes.

    Attributes:
        account: Where.
        now: Seconds since the epoch.
        clock: Seconds, never going back.
        sleep: Waits a number of seconds.
    """

    account: Account
    now: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def read(self, outcomes: Outcomes, since: float) -> bool:
        """Search the log once; return whether there is a log. Queues without a stack have none.

        Args:
            outcomes: Gets the lines.
            since: When the first reply was put on the queue, in seconds since the epoch.

        Raises:
            courier.trace.log.LogSearchError: The search failed.
            botocore.exceptions.ClientError, BotoCoreError: CloudWatch refused it.
        """
        log_group = self.account.known_output("LogGroupName")
        if log_group is None:
            return False
        begin, end = since - CLOCK_SKEW_SECONDS, self.now() + CLOCK_SKEW_SECONDS
        search = LogSearch(self.account.logs, log_group, begin, end, sleep=self.sleep, clock=self.clock)
        outcomes.update(search.run(ended_query()))
        return True

    def wait(self, outcomes: Outcomes, since: float, seconds: float) -> None:
        """Search until every outcome is known, or `seconds` are over. Raises what `read` raises."""
        ends = self.clock() + seconds
        pauses = iter(PAUSES)
        has_log = self.read(outcomes, since)
        while has_log and outcomes.not_known - outcomes.withheld and self.clock() < ends:
            self.sleep(min(next(pauses, PAUSES[-1]), max(0.0, ends - self.clock())))
            # A search returns the newest lines only. Earlier searches have read the older ones.
            self.read(outcomes, max(since, self.now() - CLOCK_SKEW_SECONDS))


def wait_for_outcomes(account: Account, outcomes: Outcomes, since: float, *, wait: bool, timeout: float | None) -> None:
    """Read outcomes from the function's log. If that fails, a person is warned, and the command goes on.

    Args:
        account: Where.
        outcomes: Gets what the log says.
        since: When the first reply was put on the queue, in seconds since the epoch.
        wait: Whether to wait until every outcome is known, or to look once.
        timeout: The longest wait in seconds; None is MAX_WAIT_SECONDS.
    """
    watch = OutcomeWatch(account)
    seconds = MAX_WAIT_SECONDS if timeout is None else timeout
    try:
        if not wait:
            watch.read(outcomes, since)
            return
        longest = output.format_age(seconds)
        with output.waiting(f"Waiting until each is sent or comes back, at most {longest}; Ctrl-C stops waiting"):
            watch.wait(outcomes, since, seconds)
    except LogSearchError as error:
        output.warn(str(error))
    except (BotoCoreError, ClientError) as error:
        output.warn(str(explain(error, account)))


def suggest_next(outcomes: Outcomes, since: float) -> None:
    """Name the command that says why replies came back, and the one to watch the others with."""
    recent = f"--newer-than {max(1, math.ceil((time.time() - since) / 3600))}h"
    if outcomes.came_back:
        output.warn(f"Why: {_trace_command(outcomes.came_back.keys()) or f'courier dlq groups {recent}'}")
    if not_known := outcomes.not_known:
        several = f"courier status; those that come back: courier dlq list {recent}"
        output.warn(f"To follow {'it' if len(not_known) == 1 else 'them'}: {_trace_command(not_known) or several}")


def _trace_command(tokens: AbstractSet[str]) -> str | None:
    """The command that traces a single reply, if its token may be printed."""
    token = printable_identifier(next(iter(tokens))) if len(tokens) == 1 else None
    return f"courier trace {token}" if token else None
