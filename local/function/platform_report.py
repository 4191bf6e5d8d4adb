"""Lambda's own log record of an invocation."""

import json
import math

from local.function.runtime_api import Failed, Returned

STATUS = {"Runtime.ExitError": "failure", "Sandbox.Timedout": "timeout"}
"""By error type; "error" for any other, an exception raised by the function."""


def platform_report(
    request_id: str, outcome: Returned | Failed, init: float | None, duration: float, memory: int
) -> str:
    """Return the record, as JSON, that Lambda logs at the end of an invocation.

    Args:
        request_id: the invocation's id.
        outcome: how it ended. Only the type of an error is logged: its message can quote a reply.
        init: seconds of the init phase, billed like the rest; None without an init phase.
        duration: seconds in the handler.
        memory: the function's memory in MB.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report
    """
    metrics = {
        "durationMs": round(duration * 1000, 3),
        "billedDurationMs": math.ceil(((init or 0) + duration) * 1000),
        "memorySizeMB": memory,
    }
    if init is not None:
        metrics["initDurationMs"] = round(init * 1000, 3)
    record: dict[str, object] = {"requestId": request_id, "metrics": metrics, "status": "success"}
    if isinstance(outcome, Failed):
        record |= {"status": STATUS.get(outcome.error_type, "error"), "errorType": outcome.error_type}
    return json.dumps({"type": "platform.report", "record": record})
