"""A list of faults, for the emulated Connect and for SQS: which fault strikes a request."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Protocol


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
