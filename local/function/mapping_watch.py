"""Follows the state of an event source mapping, for a poller."""

import json
import threading
import urllib.request
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Self

from local.aws import LocalAws
from local.processes import in_background

EVERY = 0.5
"""Seconds between two looks at the state."""
POLLS = {"Creating", "Enabling", "Enabled", "Updating"}


class MappingWatch:
    """Tells a poller to poll or not to, as the mapping's state says, and reports to moto when it has followed.

    Args:
        aws: Where the mapping is.
        mapping: Its UUID.
        go_on: Has the poller poll.
        stop: Has it stop; returns when that is so.
    """

    def __init__(self, aws: LocalAws, mapping: str, go_on: Callable[[], object], stop: Callable[[], object]) -> None:
        self._aws = aws
        self._mapping = mapping
        self._go_on = go_on
        self._stop = stop
        self._polls: bool | None = None
        self._name = str(uuid.uuid4())
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        self._look()
        self._watcher = in_background(self._watch, name="mapping")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._watcher.join()
        self._report(polls=None)

    def _watch(self) -> None:
        while not self._ended.wait(EVERY):
            self._look()

    def _look(self) -> None:
        polls = self._state() in POLLS
        if polls != self._polls:
            (self._go_on if polls else self._stop)()
            self._report(polls=polls)
            self._polls = polls

    def _state(self) -> str:
        functions = self._aws.functions
        try:
            return functions.get_event_source_mapping(UUID=self._mapping)["State"]
        except functions.exceptions.ResourceNotFoundException:
            return "Deleted"

    def _report(self, *, polls: bool | None) -> None:
        body = json.dumps({"mapping": self._mapping, "poller": self._name, "polls": polls}).encode()
        url = f"{self._aws.endpoint}/_local/pollers"
        urllib.request.urlopen(urllib.request.Request(url, body, method="POST")).close()
