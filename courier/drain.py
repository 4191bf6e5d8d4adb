"""Works through the letters of the dead-letter queue: several batches at a time, at a rate, until told to stop."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import TYPE_CHECKING

from courier.held_letters import BATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from courier.choice import Choice
    from courier.held_letters import Holding
    from courier.letters import Letter
    from courier.sending import Left

WORKERS = 4
"""Batches at a time: one waits for SQS while others are read and written."""


@dataclass
class Pace:
    """No more letters a second than `rate`; None: as many as SQS takes. Threads may share it."""

    rate: float | None
    now: Callable[[], float] = time.monotonic
    _next: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    @property
    def batch(self) -> int:
        """Letters to take at once: a second's worth, so that a slow pace is an even one."""
        return BATCH if self.rate is None else max(1, min(BATCH, int(self.rate)))

    def wait_time(self, letters: int) -> float:
        """Take `letters` places; return how many seconds it is until they may be used."""
        if self.rate is None:
            return 0
        with self._lock:
            now = self.now()
            start = max(now, self._next)
            self._next = start + letters / self.rate
            return start - now


@dataclass
class Drain:
    """Takes letters out of a holding and gives them, batch by batch, to what works on them.

    Attributes:
        holding: Where the letters come from.
        choice: Which letters; asked by one thread at a time, once for each letter.
        work: Does a batch of up to ten, returns what it could not do; called by several threads at a time.
        pace: How fast.
        left: What could not be done.
        done: How many letters were done.
        stopped: Set when no further batch is to be begun.
    """

    holding: Holding
    choice: Choice
    work: Callable[[Sequence[Letter]], Sequence[Left]]
    pace: Pace
    left: list[Left] = field(default_factory=list)
    done: int = 0
    stopped: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)

    def run(self, tell: Callable[[int], None]) -> None:
        """Work until the queue's end or the limit; `tell` is told how many letters were worked on, batch by batch.

        Stopped by Ctrl-C or an error of one batch, it lets the batches that are on their way come to their end: no
        letter is left between the queues because of it.
        """
        with ThreadPoolExecutor(WORKERS) as pool:
            workers = [pool.submit(self._worker, tell) for _ in range(WORKERS)]
            try:
                for worker in as_completed(workers):
                    worker.result()
            finally:
                self.stopped.set()

    def _worker(self, tell: Callable[[int], None]) -> None:
        while not self.stopped.is_set() and not self.choice.full:
            letters = self.holding.receive(self.pace.batch)
            if letters is None:
                return
            with self._lock:
                chosen = [letter for letter in letters if self.choice(letter)]
            if not chosen or self.stopped.wait(self.pace.wait_time(len(chosen))):
                continue
            left = self.work(chosen)
            with self._lock:
                self.left += left
                self.done += len(chosen) - len(left)
            tell(len(chosen))
