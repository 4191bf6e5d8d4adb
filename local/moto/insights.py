"""CloudWatch Logs Insights for the one form of query that `courier` sends. moto itself ignores `filter`.

    fields @timestamp, @message | filter NAME in ["…"] or … | sort @timestamp desc | limit N

A query of another form is refused as malformed, so that nobody takes a wrong result for CloudWatch's.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moto.logs.exceptions import LogsClientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from moto.logs.models import LogEvent, LogGroup

_TEXTS = r'\["[^"\\]*"(?:, "[^"\\]*")*\]'
_TERM = re.compile(rf"([a-z_]+) in ({_TEXTS})")
QUERY = re.compile(
    r"fields @timestamp, @message"
    rf"(?: \| filter (?P<filter>{_TERM.pattern}(?: or {_TERM.pattern})*))?"
    r" \| sort @timestamp (?P<order>asc|desc) \| limit (?P<limit>\d+)"
)
MAX_LIMIT = 10_000
MAX_CHARACTERS = 10_000
"""Source of both limits: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html"""


class MalformedQueryError(LogsClientError):
    """CloudWatch's error for a query that it cannot parse."""

    def __init__(self, why: str) -> None:
        super().__init__("MalformedQueryException", why)


def execute_query(log_groups: Sequence[LogGroup], query: str, start_time: int, end_time: int) -> list[dict[str, str]]:
    """Return the result of a query. This replaces moto's function of the same name.

    Args:
        log_groups: The log groups to search.
        query: The query.
        start_time: Seconds since the epoch.
        end_time: Seconds since the epoch, inclusive.

    Raises:
        MalformedQueryError: The query has another form, or is beyond CloudWatch's limits.
    """
    parsed = QUERY.fullmatch(query)
    if parsed is None or len(query) > MAX_CHARACTERS or int(parsed["limit"]) > MAX_LIMIT:
        raise MalformedQueryError(f"local AWS does not support this query. Add it to {__name__}: {query}")
    wanted = [(name, set(json.loads(texts))) for name, texts in _TERM.findall(parsed["filter"] or "")]
    found = [
        event
        for event in _events(log_groups)
        if start_time * 1000 <= event.timestamp <= end_time * 1000 and _matches(event.message, wanted)
    ]
    found.sort(key=lambda event: event.timestamp, reverse=parsed["order"] == "desc")
    return [
        {"@timestamp": _timestamp(event.timestamp), "@message": event.message, "@ptr": str(event.event_id)}
        for event in found[: int(parsed["limit"])]
    ]


def _events(log_groups: Sequence[LogGroup]) -> Iterator[LogEvent]:
    for group in log_groups:
        for stream in group.streams.values():
            yield from stream.events


def _matches(message: str, wanted: Sequence[tuple[str, set[str]]]) -> bool:
    """Return whether a field of a JSON line has one of the wanted values."""
    if not wanted:
        return True
    try:
        fields: Mapping[str, object] = json.loads(message)
    except ValueError:
        return False
    return isinstance(fields, dict) and any(fields.get(name) in texts for name, texts in wanted)


def _timestamp(milliseconds: int) -> str:
    time = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return time.strftime("%Y-%m-%d %H:%M:%S.") + f"{milliseconds % 1000:03}"
