import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from local.moto.server import OneAtATime

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def start_response(
    _status: str, _headers: list[tuple[str, str]], _error: object = None, /
) -> Callable[[bytes], object]:
    raise NotImplementedError("the applications here answer without it")


def test_requests_never_overlap() -> None:
    inside: list[int] = []
    overlaps: list[int] = []

    def application(_environ: "WSGIEnvironment", _start: "StartResponse") -> Iterable[bytes]:
        inside.append(1)
        time.sleep(0.005)  # lets other threads run: without turns they would come in now
        overlaps.append(len(inside))
        inside.pop()
        return []

    server = OneAtATime(application)
    with ThreadPoolExecutor(4) as threads:
        for _ in range(12):
            threads.submit(server, {}, start_response)
    assert overlaps == [1] * 12


def test_a_request_that_gives_way_continues_after_another_one() -> None:
    served = threading.Event()

    def application(environ: "WSGIEnvironment", _start: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/send":
            served.set()
        while not served.is_set():
            server.give_way()
        return [b"done"]

    server = OneAtATime(application)
    with ThreadPoolExecutor(1) as other_thread:
        waiting = other_thread.submit(server, {"PATH_INFO": "/poll"}, start_response)
        server({"PATH_INFO": "/send"}, start_response)
        assert waiting.result(timeout=5) == [b"done"]
