"""SQS, as far as the mapping and the function see it, on a simulated clock."""

from __future__ import annotations

import heapq
import itertools
import json
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.replies import reply

if TYPE_CHECKING:
    from bench.scenario import Result
    from bench.simulated.virtual_time import VirtualTime

BODY = json.dumps(reply("c"))
FORGOTTEN_AFTER = 3
"""Receives after which SQS leaves a message out of the age of the oldest (SQS developer guide, metrics)."""


@dataclass(slots=True)
class Message:
    """A message on the simulated queue."""

    id: str
    sent_at: float
    receives: int = 0
    first_received_at: float = 0.0


class Queue:
    """SQS, as far as the mapping and the function see it."""

    def __init__(self, time: VirtualTime, result: Result, visibility: float) -> None:
        self._time, self._result, self._visibility = time, result, visibility
        self._visible: deque[Message] = deque()
        self._hidden: list[tuple[float, int, Message]] = []
        self._until: dict[str, float] = {}
        self._messages: dict[str, Message] = {}
        self._order = itertools.count()
        self.deleted = 0

    def put(self, message: Message) -> None:
        self._messages[message.id] = message
        self._visible.append(message)

    def counts(self) -> tuple[int, int]:
        """Messages that can be received, and those that are in flight or wait for their backoff."""
        self._show()
        return len(self._visible), len(self._messages) - len(self._visible)

    def age_of_oldest(self) -> float | None:
        """Seconds, of those received no more than twice, as SQS counts; None if there is none."""
        sent = [message.sent_at for message in self._messages.values() if message.receives < FORGOTTEN_AFTER]
        return self._time.now() - min(sent) if sent else None

    @property
    def empty(self) -> bool:
        return not self._messages

    def next_visible_at(self) -> float:
        return self._hidden[0][0] if self._hidden else float("inf")

    def receive(self, count: int) -> list[dict[str, Any]]:
        now = self._time.now()
        self._show()
        records: list[dict[str, Any]] = []
        while self._visible and len(records) < count:
            message = self._visible.popleft()
            message.receives += 1
            message.first_received_at = message.first_received_at or now
            self._hide(message, self._visibility)
            records.append(self._record(message))
        self._result.receives += len(records)
        return records

    def _show(self) -> None:
        """Let what is hidden no longer be received."""
        now = self._time.now()
        while self._hidden and self._hidden[0][0] <= now:
            at, _, message = heapq.heappop(self._hidden)
            if self._until.get(message.id) == at and message.id in self._messages:
                del self._until[message.id]
                self._visible.append(message)

    def delete(self, message_id: str) -> None:
        if self._messages.pop(message_id, None):
            self.deleted += 1
        self._until.pop(message_id, None)

    def _hide(self, message: Message, seconds: float) -> None:
        at = self._time.now() + seconds
        self._until[message.id] = at
        heapq.heappush(self._hidden, (at, next(self._order), message))

    def _record(self, message: Message) -> dict[str, Any]:
        return {
            "messageId": message.id,
            "receiptHandle": message.id,
            "body": BODY,
            "attributes": {
                "ApproximateReceiveCount": str(message.receives),
                "SentTimestamp": str(round(message.sent_at * 1000)),
                "ApproximateFirstReceiveTimestamp": str(round(message.first_received_at * 1000)),
            },
            "messageAttributes": {},
        }

    # What the function calls.

    def change_message_visibility(self, *, ReceiptHandle: str, VisibilityTimeout: int, **_: Any) -> None:  # noqa: N803
        self._hide(self._messages[ReceiptHandle], VisibilityTimeout)

    def send_message(self, **_: Any) -> None:
        self._result.dead += 1
