"""Log lines shortened for a person at a terminal."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from local.function.execution_environment import LogLine

SHOWN = ("client_token", "contact_id", "reason", "cause", "retry_in_seconds", "error", "records")
"""What tells most of a line; all of it is in the log group."""


def summary(log: LogLine, now: datetime) -> str | None:
    """Return a line as ``HH:MM:SS  event  field=value …``; None for a line that a person can do without.

    These are metrics and reports of successful invocations. A line that is not JSON is returned whole.

    Args:
        log: The line.
        now: Local time, for lines that do not say when they were written.
    """
    try:
        fields = json.loads(log.line)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return f"{now:%H:%M:%S}  {log.line}"
    if "_aws" in fields:
        return None
    if fields.get("type") == "platform.report":
        record = fields["record"]
        return None if record["status"] == "success" else f"{now:%H:%M:%S}  {record['status']}: {record['errorType']}"
    details = [f"{name}={fields[name]}" for name in SHOWN if name in fields]
    if fields.get("receive_count", 1) > 1:
        details.append(f"receive {fields['receive_count']}")
    return "  ".join([f"{_time(fields, now):%H:%M:%S}", str(fields.get("message", "")), *details])


def _time(fields: Mapping[str, Any], now: datetime) -> datetime:
    try:
        return datetime.fromisoformat(fields["timestamp"]).astimezone(now.tzinfo)
    except (KeyError, TypeError, ValueError):
        return now
