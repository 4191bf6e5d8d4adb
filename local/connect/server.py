"""The HTTP server of the emulated Connect. It has a thread for each connection and keeps connections alive."""

import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from urllib.parse import parse_qs, unquote, urlsplit

from local.connect.answer import Answer, error_answer
from local.connect.control import control_answer
from local.connect.page import page_answer
from local.connect.service import EmulatedConnect


def answer_to(  # noqa: PLR0911 - one for each route
    connect: EmulatedConnect, method: str, url: str, body: bytes
) -> Answer:
    """Answer an HTTP request: an operation of Connect, a control call or the page."""
    parts = urlsplit(url)
    path = [unquote(part) for part in parts.path.strip("/").split("/")]
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    match method, path:
        case "PUT", ["contact", "outbound-email"]:
            return connect.start_outbound_email_contact(body)
        case "PUT", ["contact", "create-contact"]:
            return connect.create_contact(body)
        case "GET", ["instance", instance_id]:
            return connect.describe_instance(instance_id)
        case "POST", ["search-email-addresses"]:
            return connect.search_email_addresses(body)
        case _, ["_local", *call] if call:
            return control_answer(connect, method, call, query.get("since", "0"), body)
        case "GET", _:
            return page_answer(connect, path, query.get("open", ""))
        case _:
            return error_answer(404, "UnknownOperationException", f"{method} {parts.path} is not emulated.")


class ConnectServer(ThreadingTCPServer):
    """Serves an emulated Connect.

    Args:
        address: The host and port to listen on. Port 0 means any free port.
        connect: Answers the requests.
        sleep: Waits for a number of seconds.
    """

    allow_reuse_address = True
    daemon_threads = True  # a thread that waits for a "hang" must not keep the program alive
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], connect: EmulatedConnect, sleep: Callable[[float], None]) -> None:
        self.connect = connect
        self.sleep = sleep
        super().__init__(address, _Connection)

    @property
    def url(self) -> str:
        """The server's URL."""
        host, port = self.socket.getsockname()
        return f"http://{host}:{port}"


class _Connection(BaseHTTPRequestHandler):
    server: ConnectServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the body would wait 40 ms until the caller acknowledges the headers

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            # The caller was killed or gave up. That's not an error here.
            self.close_connection = True

    def do_GET(self) -> None:
        self._answer()

    do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def _answer(self) -> None:
        if "Transfer-Encoding" in self.headers:
            # This server can't find the end of such a body, so it can't find the next request either.
            self.close_connection = True
            answer = error_answer(411, None, "Send a Content-Length.")
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = answer_to(self.server.connect, self.command, self.path, body)
        self.server.sleep(answer.wait_seconds)
        self._give(answer)

    def _give(self, answer: Answer) -> None:
        if answer.status is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Log nothing: requests hold personal data, and the record has every call."""
