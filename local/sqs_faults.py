"""Faults between a caller and SQS or EventBridge: an HTTP proxy passes requests on, or makes them fail."""

import socket
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from random import Random
from socketserver import ThreadingTCPServer
from threading import Lock
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

from local.faults import FaultPlan
from local.moto.sqs_gate import SqsError
from local.processes import in_background

type Kind = Literal["error", "throttle", "refuse", "gone", "drop_before", "drop_after"]
"""A kind of fault. A drop closes the connection, before or after SQS handles the request."""

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html and SendMessage's own errors
ANSWERS: dict[Kind, SqsError] = {
    "error": SqsError("InternalFailure", "The request failed because of an internal error.", "InternalFailure", 500),
    "throttle": SqsError("RequestThrottled", "The request was denied due to request throttling.", "RequestThrottled"),
    "refuse": SqsError("AccessDenied", "Access to the resource is denied.", "AccessDenied", 403),
    "gone": SqsError(
        "QueueDoesNotExist", "The specified queue does not exist.", "AWS.SimpleQueueService.NonExistentQueue"
    ),
}
"""The answers to requests that don't reach SQS."""
# These headers are for one of the two connections only (RFC 9110, 7.6.1). Content-Length is computed again.
CONNECTION_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class SqsProxy(ThreadingTCPServer):
    """Passes requests to ``upstream`` (host:port) from a free port, with a thread for each connection.

    ``strike`` takes the operation of a request, such as "SendMessage", and returns the fault that strikes it, or None.
    """

    daemon_threads = True  # an open connection must not keep the program alive
    request_queue_size = 128

    def __init__(self, upstream: str, strike: Callable[[str], Kind | None]) -> None:
        self.upstream = upstream
        self.strike = strike
        super().__init__(("127.0.0.1", 0), _Connection)

    @property
    def url(self) -> str:
        """The proxy's URL."""
        host, port = self.socket.getsockname()
        return f"http://{host}:{port}"


class _Connection(BaseHTTPRequestHandler):
    server: SqsProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the body would wait 40 ms until the caller acknowledges the headers

    def handle(self) -> None:
        self._upstream = HTTPConnection(self.server.upstream)
        try:
            super().handle()
        except ConnectionError:
            # One side was killed or gave up. The other side's connection closes, as it would without a proxy.
            self.close_connection = True
        finally:
            self._upstream.close()

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            # The caller was killed while it sent the request. SQS ignores incomplete requests.
            self.close_connection = True
            return
        match self.server.strike(self.headers.get("X-Amz-Target", "").rpartition(".")[2]):
            case None:
                self._give(*self._forward(body))
            case "drop_before":
                self._drop()
            case "drop_after":
                self._forward(body)
                self._drop()
            case kind:
                error = ANSWERS[kind]
                self._give(error.status, error.headers.items(), error.body)

    def _forward(self, body: bytes) -> tuple[int, Iterable[tuple[str, str]], bytes]:
        """Pass a request on, with its Host and signature. Return status, headers and body of the answer."""
        self._upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            self._upstream.putheader(name, value)
        self._upstream.endheaders(body)
        answer = self._upstream.getresponse()
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in CONNECTION_HEADERS]
        return answer.status, headers, answer.read()

    def _give(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_arguments: object) -> None:
        """Log nothing: requests hold personal data."""


@dataclass
class Fault:
    """A fault, and the requests that it strikes: the next ``times`` of an operation. None means all."""

    operation: str
    kind: Kind
    times: int | None
    probability: float


class SqsFaults:
    """A context manager that serves SQS at ``url``, with faults. Many threads can use it.

    Args:
        upstream_url: The URL of SQS, http://host:port.
        rng: Decides about faults with a probability. Seed it to repeat a run.
    """

    def __init__(self, upstream_url: str, rng: Random) -> None:
        self.rng = rng
        self._upstream = urlsplit(upstream_url).netloc
        self._faults: FaultPlan[Fault] = FaultPlan()
        self._struck: Counter[tuple[str, Kind]] = Counter()
        self._lock = Lock()

    def __enter__(self) -> Self:
        self._proxy = SqsProxy(self._upstream, self._strike)
        self.url = self._proxy.url
        self._serving = in_background(lambda: self._proxy.serve_forever(poll_interval=0.05), name="SQS proxy")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._proxy.shutdown()
        self._serving.join()
        self._proxy.server_close()

    def fail(self, operation: str, kind: Kind, *, times: int | None = None, probability: float = 1.0) -> None:
        """Make requests of an operation, such as "SendMessage", fail. Earlier faults take precedence."""
        with self._lock:
            self._faults.add(Fault(operation, kind, times, probability))

    def clear(self) -> None:
        """Remove all faults. ``struck`` keeps its counts."""
        with self._lock:
            self._faults.clear()

    @property
    def struck(self) -> Counter[tuple[str, Kind]]:
        """How many requests failed, by operation and kind of fault."""
        with self._lock:
            return self._struck.copy()

    def _strike(self, operation: str) -> Kind | None:
        with self._lock:
            fault = self._faults.strike(lambda each: each.operation == operation, self.rng)
            if fault is None:
                return None
            self._struck[operation, fault.kind] += 1
            return fault.kind
