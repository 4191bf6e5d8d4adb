"""Faults between the function and SQS, set from outside; without one nothing is changed on the way."""

from collections import Counter
from dataclasses import dataclass
from random import Random
from threading import Lock
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from local.processes import in_background
from local.sqs.proxy import Kind, SqsProxy


@dataclass
class Fault:
    """A fault, and the requests it strikes: the next ``times`` of an operation (None: all, until it is cleared)."""

    operation: str
    kind: Kind
    times: int | None
    probability: float


class SqsFaults:
    """Serves SQS at ``url`` while entered, with the faults that are set; many threads may use it.

    Args:
        upstream_url: where SQS is: http://host:port.
        rng: where the draws for probabilities come from; seed it to repeat a run.
    """

    def __init__(self, upstream_url: str, rng: Random) -> None:
        self.rng = rng
        self._upstream = urlsplit(upstream_url).netloc
        self._faults: list[Fault] = []
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
        """Let requests of an operation, such as "SendMessage", fail; the faults set before it come first."""
        with self._lock:
            self._faults.append(Fault(operation, kind, times, probability))

    def clear(self) -> None:
        """Let nothing fail any more; the count stays."""
        with self._lock:
            self._faults.clear()

    @property
    def struck(self) -> Counter[tuple[str, Kind]]:
        """How many requests were struck so far, by operation and kind."""
        with self._lock:
            return self._struck.copy()

    def _strike(self, operation: str) -> Kind | None:
        with self._lock:
            for fault in self._faults:
                # A draw is made only where there is a choice, so that certain faults do not shift the others' draws.
                if fault.operation == operation and (fault.probability == 1 or self.rng.random() < fault.probability):
                    self._count(fault)
                    return fault.kind
        return None

    def _count(self, fault: Fault) -> None:
        self._struck[fault.operation, fault.kind] += 1
        if fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                self._faults.remove(fault)
