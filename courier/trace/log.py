"""The function's log: a search with CloudWatch Logs Insights, and the lines it finds.

docs/runbook.md, "Logs and metrics", has the events and their fields.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contract.client_token import is_identifier, parse_iso

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import GetQueryResultsResponseTypeDef

NAMES = ("client_token", "message_id", "contact_id")
"""The fields that identify a reply."""
FINAL_EVENTS = ("reply_sent", "reply_already_sent", "reply_dead_lettered")
"""The events with which a reply leaves the queue."""
MAX_ROWS = 10_000
"""Rows that one query returns (StartQuery, `limit`)."""
MAX_NAME_CHARACTERS = 3_000
"""Characters of the names in one query, which has them three times. A query may have 10,000 (StartQuery)."""
PAUSES = (0.2, 0.3, 0.5)
"""Seconds between two looks at a query, the last one again and again."""
MAX_QUERY_SECONDS = 300


class LogSearchError(Exception):
    """The search failed; the text says what to do."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line about one message.

    Attributes:
        at: When it was written, in seconds since the epoch.
        event: Such as `reply_sent`.
        message_id: The SQS message.
        token: The reply's client token; None if the log withholds it.
        receive_count: How often SQS had delivered the message.
        enqueued_at: When the message was put on the queue, in seconds since the epoch; None if the line does not say.
        contact_id: The contact; None if the line does not say.
        connect_request_id: The id of Connect's answer; None without an answer.
        cause: Why the reply has to be retried.
        reason: Why it went to the dead-letter queue.
        error: The type of an exception in the function.
        seconds: When the message is visible again, or the call is repeated.
    """

    at: float
    event: str
    message_id: str
    token: str | None
    receive_count: int
    enqueued_at: float | None = None
    contact_id: str | None = None
    connect_request_id: str | None = None
    cause: str | None = None
    reason: str | None = None
    error: str | None = None
    seconds: float | None = None


def read_line(text: str) -> LogLine | None:
    """Read a line of the log; None if it is not about one message, such as metrics and Lambda's own lines."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    match fields:
        case {
            "timestamp": str(timestamp),
            "message": str(event),
            "message_id": str(message_id),
            "receive_count": int(count),
        }:
            at = parse_iso(timestamp)
        case _:
            return None
    if at is None or not is_identifier(event) or not is_identifier(message_id):
        return None
    return LogLine(
        at=at,
        event=event,
        message_id=message_id,
        token=_identifier(fields, "client_token"),
        receive_count=count,
        enqueued_at=_enqueued_at(fields, at),
        contact_id=_identifier(fields, "contact_id"),
        connect_request_id=_identifier(fields, "connect_request_id"),
        cause=_identifier(fields, "cause"),
        reason=_identifier(fields, "reason"),
        error=_identifier(fields, "error"),
        seconds=_number(fields, "retry_in_seconds"),
    )


def by_message(lines: Iterable[LogLine]) -> dict[str, list[LogLine]]:
    """The lines of each message, in their order."""
    messages: dict[str, list[LogLine]] = defaultdict(list)
    for line in lines:
        messages[line.message_id].append(line)
    return messages


@dataclass
class LogSearch:
    """Searches one log group.

    Attributes:
        logs: The client.
        log_group: Its name.
        since: Seconds since the epoch.
        until: Seconds since the epoch.
        sleep: Waits a number of seconds.
        clock: Seconds, never going back.
        is_complete: Whether every query so far returned all its rows, rather than the newest MAX_ROWS.
    """

    logs: CloudWatchLogsClient
    log_group: str
    since: float
    until: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    is_complete: bool = field(default=True, init=False)

    def find(self, names: Collection[str]) -> Iterator[LogLine]:
        """The lines about replies with these tokens, message ids or contact ids, the newest first.

        The log withholds names that are not identifiers, so the search leaves them out.

        Raises:
            LogSearchError: The query failed or timed out.
            botocore.exceptions.ClientError, BotoCoreError: CloudWatch refused it.
        """
        for some in _portions(sorted(filter(is_identifier, names))):
            yield from self.run(query(some))

    def run(self, query_string: str) -> Iterator[LogLine]:
        """The lines about messages that a query finds. Raises what `find` raises."""
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
        ends = self.clock() + MAX_QUERY_SECONDS
        while (answer := self.logs.get_query_results(queryId=query_id))["status"] in {"Scheduled", "Running"}:
            if self.clock() > ends:
                problem = f"The search of the log did not finish in {MAX_QUERY_SECONDS} s."
                raise LogSearchError(f"{problem} Try a shorter --since.")
            self.sleep(next(pauses, PAUSES[-1]))
        if answer["status"] != "Complete":
            raise LogSearchError(f"The search of the log failed ({answer['status']}). Run the command again.")
        return answer


def ended_query() -> str:
    """The query for lines with which replies leave the queue."""
    events = ", ".join(f'"{event}"' for event in FINAL_EVENTS)
    return f"fields @timestamp, @message | filter message in [{events}] | sort @timestamp desc | limit {MAX_ROWS}"


def query(names: Collection[str] | None = None) -> str:
    """The query for lines about these names; None means all lines.

    Raises:
        ValueError: A name is not an identifier. It could break out of its quotes, and the log never has it.
    """
    if not all(map(is_identifier, names or ())):
        raise ValueError("only identifiers can be searched for")
    texts = ", ".join(f'"{name}"' for name in names or ())
    found = " or ".join(f"{field} in [{texts}]" for field in NAMES)
    which = f" | filter {found}" if names else ""
    return f"fields @timestamp, @message{which} | sort @timestamp desc | limit {MAX_ROWS}"


def _portions(names: Collection[str]) -> Iterator[list[str]]:
    """The names in portions that fit into a query."""
    portion: list[str] = []
    for name in names:
        if sum(map(len, portion)) + 4 * len(portion) + len(name) > MAX_NAME_CHARACTERS:
            yield portion
            portion = []
        portion.append(name)
    if portion:
        yield portion


def _identifier(fields: Mapping[str, Any], name: str) -> str | None:
    """A field that may be printed. What the function withholds is not an identifier either."""
    text = fields.get(name)
    return text if isinstance(text, str) and is_identifier(text) else None


def _number(fields: Mapping[str, Any], name: str) -> float | None:
    number = fields.get(name)
    return float(number) if isinstance(number, int | float) else None


def _enqueued_at(fields: Mapping[str, Any], at: float) -> float | None:
    """Older functions write it for sent replies only, as the seconds since then."""
    if isinstance(enqueued_at := fields.get("enqueued_at"), str):
        return parse_iso(enqueued_at)
    waited = _number(fields, "seconds_since_enqueued")
    return None if waited is None else at - waited
