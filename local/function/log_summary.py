"""Log lines shortened for a person at a terminal."""

import json

from local.function.execution_environment import LogLine

HIDDEN_FIELDS = ("level", "location", "timestamp", "service", "cold_start", "function_arn", "function_memory_size",
              "function_name", "function_request_id", "xray_trace_id")  # fmt: skip
"""Fields that the logger adds to every line."""


def summary(log: LogLine) -> str | None:
    """Return a line as ``environment  event  field=value …``; None for a line that a person can do without.

    These are metrics and reports of successful invocations. A line that is not JSON is returned unchanged.
    """
    try:
        fields = json.loads(log.line)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return f"{log.environment}  {log.line}"
    if "_aws" in fields:
        return None
    if fields.get("type") == "platform.report":
        record = fields["record"]
        return (
            None if record["status"] == "success" else f"{log.environment}  {record['status']}: {record['errorType']}"
        )
    event = fields.pop("message", "")
    details = [f"{name}={value}" for name, value in fields.items() if name not in HIDDEN_FIELDS]
    return "  ".join([log.environment, str(event), *details])
