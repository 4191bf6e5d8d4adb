"""The process inside an execution environment, its environment variables and the Runtime API that it calls."""

import os
import queue
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.function.deployed_function import DeployedFunction
from local.function.runtime_api import Failed, Invocation, Ready, Returned, RuntimeApi
from local.processes import ProcessGroup, in_background, lines


@dataclass(frozen=True)
class Surroundings:
    """What every process needs besides its function.

    Args:
        runtime: The folder that stands in for /var/runtime.
        endpoints: ``AWS_ENDPOINT_URL`` and similar variables.
        xray: The X-Ray daemon's host:port.
    """

    runtime: Path
    endpoints: Mapping[str, str]
    xray: str


def process_environment(
    function: DeployedFunction, surroundings: Surroundings, runtime_api: str, log_stream: str
) -> dict[str, str]:
    """Return the environment variables of the process. None of them comes from this machine's environment.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    """
    return {
        **function.environment,
        "_HANDLER": function.handler,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": function.log_format,
        # With JSON, Lambda also sets the level. The default is INFO.
        **({"AWS_LAMBDA_LOG_LEVEL": "INFO"} if function.log_format == "JSON" else {}),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_REGION": function.region,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": surroundings.xray,
        "LAMBDA_RUNTIME_DIR": str(surroundings.runtime),
        "LAMBDA_TASK_ROOT": str(function.code),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(surroundings.runtime),
        "TZ": ":UTC",
        # Lambda does not set these. Without them, boto3 would read this user's AWS profiles.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **surroundings.endpoints,
    }


# -S: use only the packages of the zip and of PYTHONPATH. -B: write no .pyc files, as Lambda's files are read-only.
COMMAND = (sys.executable, "-S", "-B", "-m", "awslambdaric")


@dataclass(frozen=True)
class Exited:
    """The process has ended. A negative status is the signal that ended it."""

    status: int

    def __str__(self) -> str:
        """Return Lambda's message."""
        how = f"signal: {signal.strsignal(-self.status)}".lower() if self.status < 0 else f"exit status {self.status}"
        return f"Runtime exited with error: {how}"


class RuntimeProcess:
    """Runs ``python -m awslambdaric`` in the unpacked zip. ``log`` takes its output line by line."""

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
        """Pass an invocation to the process, which must be ready."""
        self._api.invocations.put(invocation)

    def next_event(self, deadline: float) -> Ready | Returned | Failed | Exited | None:
        """Return the next step of the process, or None if there is none before the deadline (``time.monotonic()``)."""
        try:
            return self._events.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None

    def ended(self) -> Exited | None:
        """Return how the process ended, or None if it runs. Earlier events can still wait for ``next_event``."""
        status = self._process.poll()
        return None if status is None else Exited(status)

    def kill(self) -> None:
        """Kill the process, and wait until it has ended."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Kill the process, wait for its last line and stop its Runtime API."""
        self.kill()
        self._api.close()
        self._watcher.join()

    def _watch(self, log: Callable[[str], object]) -> None:
        for line in lines(self._process):
            log(line)
        self._events.put(Exited(self._process.wait()))
