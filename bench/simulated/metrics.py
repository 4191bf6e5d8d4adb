"""What CloudWatch would have of a simulated run: a value for each minute, None where there was no data."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bench.simulated.sqs import Queue

MINUTE = 60


class MinuteMetrics:
    """Collects the metrics of a queue and of the function.

    Attributes:
        minutes: For each metric, by the name that AWS or the function gives it, its values. Those of the queue are
            `replies.…`.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._deleted = 0
        self._of_function: dict[str, float] = defaultdict(float)
        self._passed = 0
        self.minutes: dict[str, list[float | None]] = {}

    def add(self, metrics: Mapping[str, Iterable[float]]) -> None:
        """Take what an invocation counts."""
        for name, values in metrics.items():
            if name == "TimeToAccept":
                self._of_function[name] = max(self._of_function[name], *values)
            else:
                self._of_function[name] += sum(values)

    def end_minute(self) -> None:
        """Note how things stand; a minute is over."""
        visible, hidden = self._queue.counts()
        deleted, self._deleted = self._queue.deleted - self._deleted, self._queue.deleted
        of_queue: dict[str, float | None] = {
            "replies.ApproximateNumberOfMessagesVisible": visible,
            "replies.ApproximateNumberOfMessagesNotVisible": hidden,
            "replies.NumberOfMessagesDeleted": deleted,
            "replies.ApproximateAgeOfOldestMessage": self._queue.age_of_oldest(),
        }
        for name, value in (of_queue | self._of_function).items():
            self.minutes.setdefault(name, [None] * self._passed).append(value)
        self._passed += 1
        for values in self.minutes.values():
            values.extend([None] * (self._passed - len(values)))
        self._of_function.clear()
