"""What happened to replies that were put on the queue again: sent, back on the dead-letter queue, or not known yet."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from courier import output
from courier.errors import explain, is_transient
from courier.trace.log import LogSearch, LogSearchError, ended_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet

    from courier.aws import Account
    from courier.dead_letters import Letter
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
        arrived_at_by_token: When each letter had come to the dead-letter queue, in seconds since the epoch.
        untraceable: Ids of letters whose outcome stays unknown, because the log does not name their token.
        sent: Tokens of replies that were sent.
        came_back: The reason for each token whose reply was dead-lettered again.
    """

    arrived_at_by_token: dict[str, float] = field(default_factory=dict)
    untraceable: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    came_back: dict[str, str] = field(default_factory=dict)

    def add(self, letter: Letter) -> None:
        """Add a letter that is on the queue of replies again."""
        if letter.printable_token is None:
            self.untraceable.add(letter.id)
        else:
            self.arrived_at_by_token[letter.printable_token] = letter.sent_at

    def update(self, lines: Iterable[LogLine]) -> None:
        """Add what the log says. Lines come in any order, and any number of times. Sent once is sent."""
        for line in lines:
            arrived_at = self.arrived_at_by_token.get(line.token or "")
            if line.token is None or arrived_at is None or (line.enqueued_at or 0) <= arrived_at:
                continue
            if line.event in {"reply_sent", "reply_already_sent"}:
                self.sent.add(line.token)
                self.came_back.pop(line.token, None)
            elif line.event == "reply_dead_lettered" and line.token not in self.sent:
                self.came_back[line.token] = line.reason or "no reason"

    @property
    def replayed(self) -> int:
        """How many replies there are."""
        return len(self.arrived_at_by_token) + len(self.untraceable)

    @property
    def pending(self) -> AbstractSet[str]:
        """Tokens of replies that still wait, or whose line is not searchable yet."""
        return self.arrived_at_by_token.keys() - self.sent - self.came_back.keys()

    @property
    def all_sent(self) -> bool:
        """Whether every reply was sent."""
        return len(self.sent) == self.replayed

    def __str__(self) -> str:
        """Such as "3 sent, 1 came back (1 NotFound), 0 not known yet"."""
        reasons = f" ({output.format_counts(Counter(self.came_back.values()))})" if self.came_back else ""
        text = f"{len(self.sent)} sent, {len(self.came_back)} came back{reasons}, {len(self.pending)} not known yet"
        return f"{text}, {len(self.untraceable)} can't be traced" if self.untraceable else text

    def to_json(self) -> dict[str, Any]:
        """As `replay --json` writes it; a token that may not be printed is only counted."""
        return {
            "sent": sorted(self.sent),
            "came_back": dict(sorted(self.came_back.items())),
            "not_known": sorted(self.pending),
            "withheld": len(self.untraceable),
        }


@dataclass(frozen=True)
class OutcomeWatch:
    """Searches the function's log for outcomes. Queues without a stack have no log.

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

    def read(self, outcomes: Outcomes, since: float) -> None:
        """Search the log once. If that fails, a person is warned.

        Args:
            outcomes: Gets what the log says.
            since: When the first reply was put on the queue, in seconds since the epoch.
        """
        if outcomes.pending and (error := self._search(outcomes, since)):
            self._warn(error)

    def wait(self, outcomes: Outcomes, since: float, timeout: float | None = None) -> None:
        """Search until each outcome is known, or the time is over. A search that fails is repeated.

        Args:
            outcomes: Gets what the log says.
            since: When the first reply was put on the queue, in seconds since the epoch.
            timeout: The longest wait in seconds; None is MAX_WAIT_SECONDS.
        """
        if not outcomes.pending:
            return
        seconds = MAX_WAIT_SECONDS if timeout is None else timeout
        ends = self.clock() + seconds
        pauses = iter(PAUSES)
        longest = output.format_age(seconds)
        with output.waiting(f"Waiting until each is sent or comes back, at most {longest}; Ctrl-C ends the command"):
            while True:
                started_at = self.now()
                error = self._search(outcomes, since)
                if not error:  # the next search need not read the older lines again
                    since = max(since, started_at - CLOCK_SKEW_SECONDS)
                refused = isinstance(error, ClientError) and not is_transient(error)
                if refused or not outcomes.pending or self.clock() >= ends:
                    break
                self.sleep(min(next(pauses, PAUSES[-1]), max(0.0, ends - self.clock())))
        if error:
            self._warn(error)

    def _search(self, outcomes: Outcomes, since: float) -> LogSearchError | BotoCoreError | ClientError | None:
        """Update the outcomes from the log; return the error if that fails."""
        begin, end = since - CLOCK_SKEW_SECONDS, self.now() + CLOCK_SKEW_SECONDS
        try:
            log_group = self.account.known_output("LogGroupName")
            while log_group:
                search = LogSearch(self.account.logs, log_group, begin, end, sleep=self.sleep, clock=self.clock)
                lines = list(search.run(ended_query()))
                outcomes.update(lines)
                oldest = min((line.at for line in lines), default=end)
                if search.is_complete or int(oldest) >= int(end):
                    break
                end = oldest  # a search returns the newest lines only, so search the older ones
        except (LogSearchError, BotoCoreError, ClientError) as error:
            return error
        return None

    def _warn(self, error: LogSearchError | BotoCoreError | ClientError) -> None:
        output.warn(str(error if isinstance(error, LogSearchError) else explain(error, self.account)))


def suggest_next(outcomes: Outcomes, since: float) -> None:
    """Name the command that says why replies came back, and the one to watch the others with."""
    recent = f"--newer-than {max(1, math.ceil((time.time() - since) / 3600))}h"
    if outcomes.came_back:
        output.warn(f"Why: {_trace_command(outcomes.came_back.keys()) or f'courier dlq groups {recent}'}")
    if unknown := len(outcomes.pending) + len(outcomes.untraceable):
        several = f"courier status; those that come back: courier dlq list {recent}"
        trace = None if outcomes.untraceable else _trace_command(outcomes.pending)
        output.warn(f"To follow {'it' if unknown == 1 else 'them'}: {trace or several}")


def _trace_command(tokens: AbstractSet[str]) -> str | None:
    """The command that traces a single reply."""
    return f"courier trace {next(iter(tokens))}" if len(tokens) == 1 else None
