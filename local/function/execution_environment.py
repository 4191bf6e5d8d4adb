"""A Lambda execution environment: invokes the deployed function as Lambda does, one event at a time."""

import json
import math
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local.function.deployed_function import DeployedFunction
from local.function.runtime_api import Failed, Invocation, Ready, Returned
from local.function.runtime_process import Exited, RuntimeProcess, Surroundings
from local.processes import ProcessGroup

INIT_SECONDS = 10
"""The limit of the init phase. Lambda then repeats the phase within the timeout. Here the phase can take the sum."""


@dataclass(frozen=True)
class LogLine:
    """A line that an environment wrote to stdout or stderr, or Lambda's report of an invocation."""

    environment: str
    line: str


class ExecutionEnvironment:
    """Runs a function in a process that starts with the first invocation and serves later ones too.

    After a crash, a time-out or a failed init phase, the next invocation starts a new process. Only one thread at a
    time can call ``invoke``. Any thread can call ``kill``.

    Args:
        name: The name of the environment and of its log stream.
        function: Returns the function. If it has changed since the last invocation, a new process starts.
        surroundings: What else the process needs.
        processes: Starts the process.
        log: Takes every line.
    """

    def __init__(
        self,
        name: str,
        function: Callable[[], DeployedFunction],
        surroundings: Surroundings,
        processes: ProcessGroup,
        log: Callable[[LogLine], object],
    ) -> None:
        self.name = name
        self._current_function = function
        self._function = function()
        self._surroundings = surroundings
        self._processes = processes
        self._log = log
        self._process: RuntimeProcess | None = None

    def invoke(self, event: Mapping[str, object]) -> Returned | Failed:
        """Invoke the handler with an event, and return the outcome."""
        if (function := self._current_function()) is not self._function:
            self.close()
            self._function = function
        request_id = str(uuid.uuid4())
        begun = time.monotonic()
        cold = self._process is None
        process = self._process = self._process or self._start()
        ended = None if cold else process.ended()
        happened = ended or process.next_event(begun + INIT_SECONDS + self._function.timeout)
        if isinstance(happened, Exited) and not cold:  # after its last invocation, so this invocation did not fail
            self.close()
            return self.invoke(event)
        ready = time.monotonic()
        if isinstance(happened, Ready):
            process.offer(self._invocation(request_id, event))
            happened = process.next_event(ready + self._function.timeout)
        match happened:
            case Returned() | Failed():
                outcome: Returned | Failed = happened
            case Exited():
                outcome = Failed("Runtime.ExitError", f"RequestId: {request_id} Error: {happened}")
                self.close()
            case _:
                allowed = f"{self._function.timeout}.00 seconds"
                outcome = Failed("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {allowed}")
                self.close()
        init = ready - begun if cold else None
        report = platform_report(request_id, outcome, init, time.monotonic() - ready, self._function.memory)
        self._log(LogLine(self.name, report))
        return outcome

    def kill(self) -> None:
        """Kill the process, if there is one. Its invocation fails, and the next invocation starts a new process."""
        if process := self._process:
            process.kill()

    def close(self) -> None:
        """End the process, if there is one. Do not call this during an invocation."""
        if process := self._process:
            self._process = None
            process.close()

    def _start(self) -> RuntimeProcess:
        return RuntimeProcess(
            self._function,
            self._surroundings,
            self._processes,
            self.name,
            lambda line: self._log(LogLine(self.name, line)),
        )

    def _invocation(self, request_id: str, event: Mapping[str, object]) -> Invocation:
        now = time.time()
        return Invocation(
            request_id=request_id,
            event=json.dumps(event).encode(),
            function_arn=self._function.arn,
            deadline_ms=int((now + self._function.timeout) * 1000),
            trace=f"Root=1-{int(now):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=1",
        )


STATUS = {"Runtime.ExitError": "failure", "Sandbox.Timedout": "timeout"}
"""By error type. Any other type is an exception that the function raised, with the status "error"."""


def platform_report(
    request_id: str, outcome: Returned | Failed, init: float | None, duration: float, memory: int
) -> str:
    """Return Lambda's log record of an invocation, as JSON. It omits an error's message, which can quote a reply.

    Args:
        request_id: The invocation's id.
        outcome: How the invocation ended.
        init: Seconds of the init phase, which are billed, or None if there was none.
        duration: Seconds in the handler.
        memory: The function's memory in MB.

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
