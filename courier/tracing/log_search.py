"""Searches the function's log by CloudWatch Logs Insights."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contract.client_token import is_identifier
from courier.tracing.log_line import LogLine, read_line

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import GetQueryResultsResponseTypeDef

NAMES = ("client_token", "message_id", "contact_id")
"""The fields by which a reply is known."""
ENDS = ("reply_sent", "reply_already_sent", "reply_dead_lettered")
"""The events with which a reply leaves the queue."""
MAX_ROWS = 10_000
"""Of one query (StartQuery, `limit`)."""
MAX_NAME_CHARACTERS = 3_000
"""Of the names in one query, which stand in it three times: it may have 10,000 characters (StartQuery)."""
PAUSES = (0.2, 0.3, 0.5)
"""Seconds between looks at a query; then the last one again and again."""
PATIENCE = 300
"""Seconds for one query."""
_UNDER_WAY = {"Scheduled", "Running"}


class LogSearchError(Exception):
    """The log could not be searched; the text says what to do."""


@dataclass
class LogSearch:
    """Searches one log group within one time.

    Attributes:
        logs: The client.
        log_group: Its name.
        since: Seconds since the epoch.
        until: The same.
        sleep: Waits a number of seconds.
        clock: Seconds, never going back.
        is_complete: Whether every query so far gave all its lines, and not the newest MAX_ROWS alone.
    """

    logs: CloudWatchLogsClient
    log_group: str
    since: float
    until: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    is_complete: bool = field(default=True, init=False)

    def about(self, names: Collection[str]) -> Iterator[LogLine]:
        """The lines about replies of these tokens, message ids or contact ids, the newest first.

        The log withholds a name that is not an identifier, so such a one is not asked for.

        Raises:
            LogSearchError: The query failed, or did not end in time.
            botocore.exceptions.ClientError, BotoCoreError: CloudWatch refused it.
        """
        for some in _portions(sorted(filter(is_identifier, names))):
            yield from self.ask(query(some))

    def ask(self, query_string: str) -> Iterator[LogLine]:
        """The lines about single messages that a query finds; raises what `about` does."""
        query_id = self.logs.start_query(
            logGroupName=self.log_group,
            startTime=int(self.since),
            endTime=int(self.until) + 1,
            queryString=query_string,
        )["queryId"]
        rows = self._answer(query_id)["results"]
        self.is_complete &= len(rows) < MAX_ROWS
        for row in rows:
            text = next((column["value"] for column in row if column["field"] == "@message"), "")
            if line := read_line(text):
                yield line

    def _answer(self, query_id: str) -> GetQueryResultsResponseTypeDef:
        pauses = iter(PAUSES)
        ends = self.clock() + PATIENCE
        while (answer := self.logs.get_query_results(queryId=query_id))["status"] in _UNDER_WAY:
            if self.clock() > ends:
                raise LogSearchError(f"The log was searched for {PATIENCE} s without an end. Try a shorter --since.")
            self.sleep(next(pauses, PAUSES[-1]))
        if answer["status"] != "Complete":
            raise LogSearchError(f"CloudWatch ended the search of the log ({answer['status']}). Run it again.")
        return answer


def ended_query() -> str:
    """The query for the lines with which replies leave the queue."""
    events = ", ".join(f'"{event}"' for event in ENDS)
    return f"fields @timestamp, @message | filter message in [{events}] | sort @timestamp desc | limit {MAX_ROWS}"


def query(names: Collection[str] | None = None) -> str:
    """The query in Insights' language for lines about these names; None is for all lines.

    Raises:
        ValueError: A name is not an identifier. It could break out of its quotes, and the log never has it.
    """
    if not all(map(is_identifier, names or ())):
        raise ValueError("only identifiers are asked for")
    texts = ", ".join(f'"{name}"' for name in names or ())
    found = " or ".join(f"{field} in [{texts}]" for field in NAMES)
    which = f" | filter {found}" if names else ""
    return f"fields @timestamp, @message{which} | sort @timestamp desc | limit {MAX_ROWS}"


def _portions(names: Collection[str]) -> Iterator[list[str]]:
    """The names, as many at once as a query has room for."""
    portion: list[str] = []
    for name in names:
        if sum(map(len, portion)) + 4 * len(portion) + len(name) > MAX_NAME_CHARACTERS:
            yield portion
            portion = []
        portion.append(name)
    if portion:
        yield portion
