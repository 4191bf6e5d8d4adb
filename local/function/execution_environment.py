"""A Lambda execution environment: invokes the deployed function, one event at a time, as Lambda does."""

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

INIT_LIMIT = 10
"""Seconds for the init phase. Lambda would then repeat it within the function's timeout; here it may take the sum."""


@dataclass(frozen=True)
class LogLine:
    """A line that an environment wrote to stdout or stderr, unchanged, or Lambda's report of an invocation."""

    environment: str
    line: str


class ExecutionEnvironment:
    """Runs a function in a process that starts at the first invocation and also serves later ones.

    After a crash, a time-out or a failed init phase, the next invocation starts a new process. One thread at a time
    may call ``invoke``; any may call ``kill``.

    Args:
        name: names the environment and its log stream.
        function: gives what to run; another one than before, since its configuration changed, gets a new process.
        surroundings: what its process needs besides.
        processes: where to start it.
        log: is given every line.
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
        self._now = function
        self._function = function()
        self._surroundings = surroundings
        self._processes = processes
        self._log = log
        self._process: RuntimeProcess | None = None

    def invoke(self, event: Mapping[str, object]) -> Returned | Failed:
        """Run the handler on one event, and return the outcome."""
        if (function := self._now()) is not self._function:
            self.close()
            self._function = function
        request_id = str(uuid.uuid4())
        begun = time.monotonic()
        cold = self._process is None
        process = self._process = self._process or self._start()
        ended = None if cold else process.ended()
        happened = ended or process.next_event(begun + INIT_LIMIT + self._function.timeout)
        if isinstance(happened, Exited) and not cold:  # after its last invocation, so this one is not to blame
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
        """SIGKILL the process, if any: its invocation fails, and the next one starts a new process."""
        if process := self._process:
            process.kill()

    def close(self) -> None:
        """End the process, if any; must not be called during an invocation."""
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
