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
        calls: All requests to send.
        accepted: The requests that sent an email.
        create_answers: The answers to the next calls of CreateContact. An exception is raised; None makes a draft.
        stop_answers: The same of StopContact; None stops the draft.
        describe_answers: The same of DescribeContact; None finds the draft.
        created: The requests of CreateContact. The n-th makes the contact draft-n.
        stopped: The contacts that were stopped.
    """

    repeat_conflicts: bool = False
    contacts: set[str] | None = None
    answers: Iterator[Any] = field(default_factory=lambda: iter(()))
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    calls: list[dict[str, Any]] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)
    create_answers: Iterator[Any] = field(default_factory=lambda: iter(()))
    stop_answers: Iterator[Any] = field(default_factory=lambda: iter(()))
    describe_answers: Iterator[Any] = field(default_factory=lambda: iter(()))
    created: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def start_outbound_email_contact(self, **request: Any) -> dict[str, Any]:
        self.before()
        self.calls.append(request)
        if (answer := answered(self.answers)) is not None:
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

    def create_contact(self, **request: Any) -> dict[str, Any]:
        self.created.append(request)
        return answered(self.create_answers) or {"ContactId": f"draft-{len(self.created)}", "ResponseMetadata": {}}

    def stop_contact(self, *, ContactId: str, **_: Any) -> None:  # noqa: N803 - boto3's name, here and below
        answered(self.stop_answers)
        self.stopped.append(ContactId)

    def describe_contact(self, *, ContactId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return answered(self.describe_answers) or {"Contact": {"Id": ContactId}}


def answered(answers: Iterator[Any]) -> Any:
    """Return the next answer, or raise it; None if there is none."""
    answer = next(answers, None)
    if isinstance(answer, BaseException):
        raise answer
    return answer
