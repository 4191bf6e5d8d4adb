"""An event bus in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class FakeEventBus:
    """Takes events; refuses as told.

    Attributes:
        before: Called before each call; what it raises, the call raises.
        refuse: Says of a call (from 1) and an entry (from 0) whether the bus refuses it.
        calls: The entries of each call.
        taken: The entries that the bus has taken.
    """

    before: Callable[[], None] = lambda: None
    refuse: Callable[[int, int], bool] = lambda _call, _entry: False
    calls: list[list[dict[str, Any]]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.calls.append(list(Entries))
        self.before()
        answers = []
        for n, entry in enumerate(Entries):
            refused = self.refuse(len(self.calls), n)
            answers.append({"ErrorCode": "InternalFailure"} if refused else {"EventId": str(n)})
            self.taken += [] if refused else [entry]
        return {"Entries": answers, "FailedEntryCount": 0}

    @property
    def details(self) -> list[dict[str, Any]]:
        return [json.loads(entry["Detail"]) for entry in self.taken]
