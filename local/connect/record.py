"""Records the calls that the emulated Connect receives and the emails that it sends."""

from collections import Counter
from http import HTTPStatus
from typing import Any, TypedDict


class Call(TypedDict):
    """A StartOutboundEmailContact request and its answer. `at` is in epoch seconds."""

    n: int
    at: float
    client_token: str | None
    contact_id: str | None
    instance_id: str | None
    body: Any  # the parsed request, or None if it is not JSON
    raw: str  # the request's bytes, with surrogate escapes for those that are not UTF-8
    status: int | None  # None: the connection was closed without an answer
    error: str | None
    message: str | None  # the error's message
    accepted: bool  # Connect sent an email
    repeat: bool  # Connect has accepted the same request before
    request_id: str


class Sent(TypedDict):
    """An email. `n` is the number of the call that sent it."""

    n: int
    at: float
    client_token: str | None
    contact_id: str | None
    request: dict[str, Any]


class Record:
    """Calls and emails, ordered by number. Clearing the record does not restart the numbers."""

    def __init__(self) -> None:
        self._last = 0
        self.clear()

    def clear(self) -> None:
        """Remove all calls and emails."""
        self.calls: list[Call] = []
        self.sent: list[Sent] = []
        self.counts: Counter[str] = Counter(calls=0, sent=0, throttled=0, repeats=0)

    def next_number(self) -> int:
        """Return the number of the next call."""
        self._last += 1
        return self._last

    def add(self, call: Call) -> None:
        """Add a call, and its email if Connect sent one."""
        self.calls.append(call)
        throttled = call["status"] == HTTPStatus.TOO_MANY_REQUESTS
        self.counts.update(calls=1, sent=call["accepted"], throttled=throttled, repeats=call["repeat"])
        if call["accepted"]:
            email = Sent(
                n=call["n"],
                at=call["at"],
                client_token=call["client_token"],
                contact_id=call["contact_id"],
                request=call["body"],
            )
            self.sent.append(email)
