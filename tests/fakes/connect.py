"""Connect in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.faults import refusal


@dataclass
class FakeConnect:
    """Accepts each token once, for contacts that exist.

    Attributes:
        repeat_conflicts: Whether a repeated token gets a 409 instead of the first answer.
        contacts: The contacts that exist. None means all.
        answers: The answers to the next calls, which are not accepted. An exception is raised.
        before, after: Called before each call and after each answer of Connect's own.
        calls: All requests.
        accepted: The requests that sent an email.
    """

    repeat_conflicts: bool = False
    contacts: set[str] | None = None
    answers: Iterator[Any] = field(default_factory=lambda: iter(()))
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    calls: list[dict[str, Any]] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)

    def start_outbound_email_contact(self, **request: Any) -> dict[str, Any]:
        self.before()
        self.calls.append(request)
        answer: Any = next(self.answers, None)
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            return dict(answer)
        if request["ClientToken"] in {email["ClientToken"] for email in self.accepted}:
            if self.repeat_conflicts:
                raise refusal(409, "IdempotencyException")
        elif self.contacts is not None and request["ContactId"] not in self.contacts:
            raise refusal(404, "ResourceNotFoundException")
        else:
            self.accepted.append(request)
        self.after()
        return {"ContactId": request["ContactId"], "ResponseMetadata": {"RequestId": "request-1"}}
