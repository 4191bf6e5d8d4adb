"""A line that the function wrote about one message (its events and fields: docs/runbook.md, "Logs and metrics")."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contract.client_token import is_identifier, parse_iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class LogLine:
    """What a line says.

    Attributes:
        at: When it was written, in seconds since the epoch.
        event: Such as `reply_sent`.
        message_id: The SQS message.
        token: The reply's client token; None where the log withholds it.
        receive_count: How often SQS had handed out the message.
        enqueued_at: When the message was put on the queue, in seconds since the epoch; None if the line does not say.
        contact_id: The contact; None if the line does not say.
        connect_request_id: Connect's id of the call that it answered; None without an answer.
        cause: Why Connect did not take it now.
        reason: Why it went to the dead-letter queue.
        error: The type of what failed in the function.
        seconds: After which the message comes back, or the call is made again.
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
            "timestamp": str(time),
            "message": str(event),
            "message_id": str(message_id),
            "receive_count": int(count),
        }:
            at = parse_iso(time)
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


def _identifier(fields: Mapping[str, Any], name: str) -> str | None:
    """A field that may be printed; what the function withholds is not an identifier either."""
    text = fields.get(name)
    return text if isinstance(text, str) and is_identifier(text) else None


def _number(fields: Mapping[str, Any], name: str) -> float | None:
    number = fields.get(name)
    return float(number) if isinstance(number, int | float) else None


def _enqueued_at(fields: Mapping[str, Any], at: float) -> float | None:
    """Functions deployed before the field came say it of a sent reply alone, in other words."""
    if isinstance(time := fields.get("enqueued_at"), str):
        return parse_iso(time)
    waited = _number(fields, "seconds_since_enqueued")
    return None if waited is None else at - waited
