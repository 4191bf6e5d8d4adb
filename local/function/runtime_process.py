"""The process inside an execution environment, and the Runtime API that it calls."""

import queue
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from local.function.deployed_function import DeployedFunction
from local.function.environment_variables import Surroundings, process_environment
from local.function.runtime_api import Failed, Invocation, Ready, Returned, RuntimeApi
from local.processes import ProcessGroup, in_background, lines

# -S: only the packages of the zip and of PYTHONPATH. -B: no .pyc files, as on Lambda's read-only file system.
COMMAND = (sys.executable, "-S", "-B", "-m", "awslambdaric")


@dataclass(frozen=True)
class Exited:
    """The process ended; a negative status is the signal that ended it."""

    status: int

    def __str__(self) -> str:
        """Describe it in Lambda's words."""
        how = f"signal: {signal.strsignal(-self.status)}".lower() if self.status < 0 else f"exit status {self.status}"
        return f"Runtime exited with error: {how}"


class RuntimeProcess:
    """Runs ``python -m awslambdaric`` in the unpacked zip; ``log`` is given its output line by line."""

    def __init__(
        self,
        function: DeployedFunction,
        surroundings: Surroundings,
        processes: ProcessGroup,
        log_stream: str,
        log: Callable[[str], object],
    ) -> None:
        self._events: queue.SimpleQueue[Ready | Returned | Failed | Exited] = queue.SimpleQueue()
        self._api = RuntimeApi(self._events.put)
        self._process = processes.start(
            [*COMMAND, function.handler],
            env=process_environment(function, surroundings, self._api.address, log_stream),
            cwd=function.code,
        )
        self._watcher = in_background(lambda: self._watch(log), name=f"output of {log_stream}")

    def offer(self, invocation: Invocation) -> None:
        """Give an invocation to a process that is ready for it."""
        self._api.invocations.put(invocation)

    def next_event(self, deadline: float) -> Ready | Returned | Failed | Exited | None:
        """Return the next step of the process; None if it takes none until the deadline, a ``time.monotonic()``."""
        try:
            return self._events.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None

    def ended(self) -> Exited | None:
        """How the process ended, even if earlier events have not been taken yet; None if it runs."""
        status = self._process.poll()
        return None if status is None else Exited(status)

    def kill(self) -> None:
        """SIGKILL the process, and wait until it has ended."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Kill the process, wait for its last line, and stop serving it."""
        self.kill()
        self._api.close()
        self._watcher.join()

    def _watch(self, log: Callable[[str], object]) -> None:
        for line in lines(self._process):
            log(line)
        self._events.put(Exited(self._process.wait()))
