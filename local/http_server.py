"""The HTTP servers of local AWS, and the faults that strike their requests."""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler
from random import Random
from socketserver import ThreadingTCPServer
from typing import Protocol

from local.processes import in_background


@dataclass(frozen=True)
class Request:
    """An HTTP request with a complete body."""

    method: str
    url: str
    headers: Message
    body: bytes


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, sent after `wait_seconds`. If `status` is None, the server closes the connection instead."""

    status: int | None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    wait_seconds: float = 0.0


CLOSE = Answer(None)


class HttpServer(ThreadingTCPServer):
    """Serves HTTP/1.1 with a thread for each connection. Connections stay open for further requests.

    Args:
        answer: Returns the answer to a request. It can block, because each connection has its thread.
        address: The host and port to listen on. Port 0 means any free port.
    """

    allow_reuse_address = True
    daemon_threads = True  # a thread that waits must not keep the program alive
    request_queue_size = 128

    def __init__(self, answer: Callable[[Request], Answer], address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        self.answer = answer
        super().__init__(address, _Connection)
        host, port = self.socket.getsockname()
        self.address = f"{host}:{port}"
        self.url = f"http://{self.address}"

    def start(self, name: str) -> None:
        """Serve in a thread with this name."""
        self._serving = in_background(lambda: self.serve_forever(poll_interval=0.05), name=name)

    def stop(self) -> None:
        """Stop the thread, and free the port. Open connections are not closed."""
        self.shutdown()
        self._serving.join()
        self.server_close()


class _Connection(BaseHTTPRequestHandler):
    server: HttpServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the body would wait 40 ms until the caller acknowledges the headers

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            # The caller was killed or gave up. That's not an error here.
            self.close_connection = True

    def do_GET(self) -> None:
        if "Transfer-Encoding" in self.headers:
            # This server can't find the end of such a body, so it can't find the next request either.
            self.close_connection = True
            self._give(Answer(411, b'{"Message": "Send a Content-Length."}'))
            return
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            # The caller was killed while it sent the request. AWS ignores incomplete requests.
            self.close_connection = True
            return
        answer = self.server.answer(Request(self.command, self.path, self.headers, body))
        time.sleep(answer.wait_seconds)
        self._give(answer)

    do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def _give(self, answer: Answer) -> None:
        if answer.status is None:
            self.close_connection = True
            with suppress(OSError):  # the caller was faster
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_arguments: object) -> None:
        """Log nothing: requests hold personal data."""


class Limited(Protocol):
    """How often a fault strikes."""

    times: int | None
    """The number of requests that it still strikes. None means all, until it is cleared."""
    probability: float


class FaultPlan[Fault: Limited]:
    """The faults that are set, oldest first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def __iter__(self) -> Iterator[Fault]:
        """Iterate over the faults that can still strike."""
        return iter(self._faults)

    def add(self, *faults: Fault) -> None:
        """Add faults."""
        self._faults += faults

    def clear(self) -> None:
        """Remove all faults."""
        self._faults.clear()

    def strike(self, is_for: Callable[[Fault], bool], rng: Random) -> Fault | None:
        """Return the oldest fault that strikes a request, or None. That fault then has one request less to strike.

        Args:
            is_for: Returns whether a fault is for this request.
            rng: Decides about faults with a probability.
        """
        for fault in self._faults:
            # A certain fault uses no random number, so that it does not change what the others get.
            if is_for(fault) and (fault.probability == 1 or rng.random() < fault.probability):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self._faults.remove(fault)
                return fault
        return None
