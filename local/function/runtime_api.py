"""Lambda's Runtime API for one process, which asks it for invocations and posts their results.

Paths and headers: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import queue
import sys
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.processes import in_background

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


class RuntimeApi(ThreadingHTTPServer):
    """Serves one process on a port of its own, and passes each step of the process to ``notify``."""

    daemon_threads = True

    def __init__(self, notify: Callable[[Ready | Returned | Failed], object]) -> None:
        super().__init__(("127.0.0.1", 0), Requests)
        self.notify = notify
        self.invocations: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self.address = f"127.0.0.1:{self.server_port}"
        self._serving = in_background(lambda: self.serve_forever(poll_interval=0.05), name="Runtime API")

    def close(self) -> None:
        """Stop serving. A process that waits for an invocation loses its connection."""
        self.invocations.put(None)
        self.shutdown()
        self._serving.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (socketserver's signature)
        """Ignore a lost connection: its process was killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Requests(BaseHTTPRequestHandler):
    """The four operations of the API."""

    server: RuntimeApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the body would wait 40 ms until the caller acknowledges the headers

    def do_GET(self) -> None:
        """Answer ``invocation/next`` as soon as there is an invocation."""
        if self.path != f"{ROOT}/invocation/next":
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.server.notify(Ready())
        invocation = self.server.invocations.get()
        if invocation is None:
            self.close_connection = True
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Lambda-Runtime-Aws-Request-Id", invocation.request_id)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(invocation.deadline_ms))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", invocation.function_arn)
        self.send_header("Lambda-Runtime-Trace-Id", invocation.trace)
        self._send(invocation.event)

    def do_POST(self) -> None:
        """Answer ``invocation/{id}/response``, ``invocation/{id}/error`` and ``init/error``."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/response"):
            self.server.notify(Returned(body.decode(errors="replace")))
        elif self.path.endswith("/error"):
            error = json.loads(body)
            self.server.notify(Failed(error["errorType"], error["errorMessage"]))
        else:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.ACCEPTED)
        self._send(b'{"status": "OK"}')

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""

    def _send(self, body: bytes) -> None:
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
