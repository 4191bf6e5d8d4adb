"""CloudWatch Logs Insights: the one form of query that `courier` asks. moto's own ignores `filter`, and finds all.

    fields @timestamp, @message | filter NAME in ["…"] or … | sort @timestamp desc | limit N

A query of another form is refused as malformed, rather than answered with what CloudWatch would not answer.
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
"""Both: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html."""


class MalformedQueryError(LogsClientError):
    """CloudWatch's answer to a query that it cannot read."""

    def __init__(self, why: str) -> None:
        super().__init__("MalformedQueryException", why)


def execute_query(log_groups: Sequence[LogGroup], query: str, start_time: int, end_time: int) -> list[dict[str, str]]:
    """What a query finds, in the place of moto's function of this name.

    Args:
        log_groups: Where.
        query: What.
        start_time: From when on, in seconds since the epoch.
        end_time: Until when, inclusive.

    Raises:
        MalformedQueryError: CloudWatch, or local AWS, does not know this form of query.
    """
    asked = QUERY.fullmatch(query)
    if asked is None or len(query) > MAX_CHARACTERS or int(asked["limit"]) > MAX_LIMIT:
        raise MalformedQueryError(f"local AWS does not understand this query; teach it in {__name__}: {query}")
    wanted = [(name, set(json.loads(texts))) for name, texts in _TERM.findall(asked["filter"] or "")]
    found = [
        event
        for event in _events(log_groups)
        if start_time * 1000 <= event.timestamp <= end_time * 1000 and _matches(event.message, wanted)
    ]
    found.sort(key=lambda event: event.timestamp, reverse=asked["order"] == "desc")
    return [
        {"@timestamp": _as_insights_writes_it(event.timestamp), "@message": event.message, "@ptr": str(event.event_id)}
        for event in found[: int(asked["limit"])]
    ]


def _events(log_groups: Sequence[LogGroup]) -> Iterator[LogEvent]:
    for group in log_groups:
        for stream in group.streams.values():
            yield from stream.events


def _matches(message: str, wanted: Sequence[tuple[str, set[str]]]) -> bool:
    """Whether one of the fields that Insights discovers in a line of JSON has one of its texts."""
    if not wanted:
        return True
    try:
        fields: Mapping[str, object] = json.loads(message)
    except ValueError:
        return False
    return isinstance(fields, dict) and any(fields.get(name) in texts for name, texts in wanted)


def _as_insights_writes_it(milliseconds: int) -> str:
    time = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return time.strftime("%Y-%m-%d %H:%M:%S.") + f"{milliseconds % 1000:03}"
