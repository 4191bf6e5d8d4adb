"""A log line for a person at a terminal."""

import json

from local.function.execution_environment import LogLine

OF_NO_NEWS = ("level", "location", "timestamp", "service", "cold_start", "function_arn", "function_memory_size",
              "function_name", "function_request_id", "xray_trace_id")  # fmt: skip
"""Fields that the logger adds to every event."""


def summary(log: LogLine) -> str | None:
    """Return an event as ``environment  event  field=value …``; None for one with no news in it.

    Metrics and reports of invocations that went well are no news. What is not JSON is shown as it is.
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
    details = [f"{name}={value}" for name, value in fields.items() if name not in OF_NO_NEWS]
    return "  ".join([log.environment, str(event), *details])
