"""The messages of one invocation: their order, and what they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from handler.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random


@dataclass(slots=True)
class Batch:
    """The messages of one invocation.

    Attributes:
        records: The records, in the order to deliver them.
        seconds_left: Seconds until Lambda ends the invocation.
        careful: Whether one of the messages was received before. It may have killed the function then, and do it
            again: what is done is deleted at once, and not left to the answer that a crash would prevent.
        stopped: Whether sending has stopped, because every reply would meet the same answer.
    """

    records: list[dict[str, Any]]
    seconds_left: Callable[[], float]
    careful: bool
    stopped: bool = False

    @classmethod
    def of(cls, records: Iterable[dict[str, Any]], seconds_left: Callable[[], float], rng: Random) -> Self:
        """Put records in order: those received least often first.

        A message that kills the function comes back together with its neighbours, all received equally often. Among
        those chance decides, so that every neighbour soon comes before it once.
        """

        def receives(record: dict[str, Any]) -> int:
            return Message.from_record(record).receive_count

        def rank(record: dict[str, Any]) -> tuple[int, float]:
            return receives(record), rng.random() if receives(record) > 1 else 0

        ordered = sorted(records, key=rank)
        return cls(ordered, seconds_left, careful=any(receives(record) > 1 for record in ordered))
