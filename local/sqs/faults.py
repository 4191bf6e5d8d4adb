"""Faults between the function and SQS, set from outside; without one, requests pass unchanged."""

from collections import Counter
from dataclasses import dataclass
from random import Random
from threading import Lock
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from local.faults import FaultPlan
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
    """Serves SQS at ``url`` while entered, with the faults that are set. Many threads may use it.

    Args:
        upstream_url: where SQS is: http://host:port.
        rng: draws for faults with a probability; seed it to repeat a run.
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
        """Make requests of an operation, such as "SendMessage", fail; faults set earlier take precedence."""
        with self._lock:
            self._faults.add(Fault(operation, kind, times, probability))

    def clear(self) -> None:
        """Remove all faults; the count of requests struck stays."""
        with self._lock:
            self._faults.clear()

    @property
    def struck(self) -> Counter[tuple[str, Kind]]:
        """How many requests faults have struck so far, by operation and kind."""
        with self._lock:
            return self._struck.copy()

    def _strike(self, operation: str) -> Kind | None:
        with self._lock:
            fault = self._faults.strike(lambda each: each.operation == operation, self.rng)
            if fault is None:
                return None
            self._struck[operation, fault.kind] += 1
            return fault.kind
