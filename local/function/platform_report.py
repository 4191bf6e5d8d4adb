"""Lambda's own log record of an invocation."""

import json
import math

from local.function.runtime_api import Failed, Returned

STATUS = {"Runtime.ExitError": "failure", "Sandbox.Timedout": "timeout"}
"""For an exception of the function's own it is "error"."""


def platform_report(
    request_id: str, outcome: Returned | Failed, init: float | None, duration: float, memory: int
) -> str:
    """Return the record that Lambda logs when an invocation is over, in its JSON form.

    Args:
        request_id: of the invocation.
        outcome: what came of it. Only the type of an error is logged: its message can quote a reply.
        init: seconds of the init phase, None if there was none. It is billed like the rest.
        duration: seconds in the handler.
        memory: the function's, in MB.

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
