"""Lambda's Runtime API for one process, which asks it for invocations and posts their results.

Paths and headers: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import queue
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from local.http_server import CLOSE, Answer, HttpServer, Request

ROOT = "/2018-06-01/runtime"


@dataclass(frozen=True)
class Invocation:
    """An event for the process. The deadline is in milliseconds since the epoch."""

    request_id: str
    event: bytes
    function_arn: str
    deadline_ms: int
    trace: str


@dataclass(frozen=True)
class Ready:
    """The process has asked for its next invocation."""


@dataclass(frozen=True)
class Returned:
    """The handler has returned ``payload``, as JSON."""

    payload: str


@dataclass(frozen=True)
class Failed:
    """The invocation failed: the function raised an exception, crashed or timed out. The message is Lambda's."""

    error_type: str
    message: str


class RuntimeApi:
    """Serves one process on a port of its own, and passes each step of the process to ``notify``."""

    def __init__(self, notify: Callable[[Ready | Returned | Failed], object]) -> None:
        self.invocations: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._notify = notify
        self._server = HttpServer(self._answer)
        self._server.start("Runtime API")
        self.address = self._server.address

    def close(self) -> None:
        """Stop serving. A process that waits for an invocation loses its connection."""
        self.invocations.put(None)
        self._server.stop()

    def _answer(self, request: Request) -> Answer:
        match request.method, request.url.removeprefix(ROOT).split("/"):
            case "GET", ["", "invocation", "next"]:
                self._notify(Ready())
                invocation = self.invocations.get()
                return CLOSE if invocation is None else _answer_with(invocation)
            case "POST", ["", "invocation", _, "response"]:
                self._notify(Returned(request.body.decode(errors="replace")))
            case "POST", ["", "invocation", _, "error"] | ["", "init", "error"]:
                error = json.loads(request.body)
                self._notify(Failed(error["errorType"], error["errorMessage"]))
            case _:
                return Answer(HTTPStatus.NOT_FOUND)
        return Answer(HTTPStatus.ACCEPTED, b'{"status": "OK"}')


def _answer_with(invocation: Invocation) -> Answer:
    headers = {
        "Content-Type": "application/json",
        "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
        "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
        "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
        "Lambda-Runtime-Trace-Id": invocation.trace,
    }
    return Answer(HTTPStatus.OK, invocation.event, headers)
