"""Connect in memory: it answers, refuses and crashes as told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.faults import refusal


@dataclass
class FakeConnect:
    """Accepts each token once, for contacts that exist; `before` and `after` acceptance something may happen."""

    repeat_conflicts: bool = False
    contacts: set[str] | None = None
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    calls: list[dict[str, Any]] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)

    def start_outbound_email_contact(self, **request: Any) -> dict[str, Any]:
        self.before()
        self.calls.append(request)
        if request["ClientToken"] in {email["ClientToken"] for email in self.accepted}:
            if self.repeat_conflicts:
                raise refusal(409, "IdempotencyException")
        elif self.contacts is not None and request["ContactId"] not in self.contacts:
            raise refusal(404, "ResourceNotFoundException")
        else:
            self.accepted.append(request)
        self.after()
        return {"ContactId": request["ContactId"], "ResponseMetadata": {"RequestId": "request-1"}}
