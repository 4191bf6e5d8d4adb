"""A clock that moves only while every program waits, so that simulated days pass in seconds."""

from __future__ import annotations

import heapq
import itertools
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class VirtualTime:
    """A clock for programs that wait much and compute little.

    Each program has its own thread, but only one thread runs at a time. When a program sleeps, the program continues
    whose sleep ends first. So every run of the same programs is the same.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._waiting: list[tuple[float, int, threading.Semaphore]] = []
        self._order = itertools.count()
        self._done = threading.Event()
        self._threads: list[threading.Thread] = []
        self._error: BaseException | None = None

    def now(self) -> float:
        """Return the seconds since the start, plus `start`."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Wait. Only programs that `start` started may call this."""
        turn = threading.Semaphore(0)
        heapq.heappush(self._waiting, (self._now + max(0.0, seconds), next(self._order), turn))
        self._next()
        turn.acquire()

    def start(self, program: Callable[[], None]) -> None:
        """Add a program. It runs when its turn comes."""
        turn = threading.Semaphore(0)

        def run() -> None:
            turn.acquire()
            try:
                program()
            except BaseException as error:  # noqa: BLE001 - run() raises it again
                self._error = error
                self._done.set()
            else:
                self._next()

        heapq.heappush(self._waiting, (self._now, next(self._order), turn))
        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def run(self) -> None:
        """Run all programs until they end or one of them fails.

        Raises:
            BaseException: The error of the program that failed.
        """
        self._next()
        self._done.wait()
        if self._error:
            raise self._error
        for thread in self._threads:
            thread.join()

    def _next(self) -> None:
        if not self._waiting:
            self._done.set()
            return
        self._now, _, turn = heapq.heappop(self._waiting)
        turn.release()
