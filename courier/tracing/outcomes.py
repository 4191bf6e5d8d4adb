"""What became of replies that were put on the queue again: sent, back on the dead-letter queue, or not known yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contract.client_token import is_identifier
from courier.tracing.log_search import LogSearch, ended_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from courier.aws import Account
    from courier.tracing.log_line import LogLine

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

    def hear(self, lines: Iterable[LogLine]) -> None:
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
        outcomes.hear(search.ask(ended_query()))
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
