"""Faults that are set from outside, and which of them strikes next; of Connect's as of SQS's."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Protocol


class Limited(Protocol):
    """What every fault says of how often it strikes."""

    times: int | None
    """How many requests more; None: all, until it is cleared."""
    probability: float


class FaultPlan[Fault: Limited]:
    """The faults that are set, in the order in which they were added: the first that strikes a request is used."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def __iter__(self) -> Iterator[Fault]:
        """Iterate over the faults that may still strike."""
        return iter(self._faults)

    def add(self, *faults: Fault) -> None:
        """Add faults after those already set."""
        self._faults += faults

    def clear(self) -> None:
        """Remove all faults."""
        self._faults.clear()

    def strike(self, is_for: Callable[[Fault], bool], rng: Random) -> Fault | None:
        """Return the first fault that strikes a request, and count it down; None if none does.

        Args:
            is_for: whether a fault is meant for this request.
            rng: draws for faults with a probability.
        """
        for fault in self._faults:
            # Only an uncertain fault draws, so that certain ones do not shift the draws of the others.
            if is_for(fault) and (fault.probability == 1 or rng.random() < fault.probability):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self._faults.remove(fault)
                return fault
        return None
