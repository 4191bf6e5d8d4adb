"""Faults that control calls set: the calls that they strike, and how Connect answers those calls."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from random import Random

from local.connect.answer import error_answer
from local.connect.checked_input import (
    ControlCallError,
    Rule,
    checked_members,
    number,
    one_of,
    or_null,
    text,
    whole_number,
)
from local.http_server import CLOSE, Answer, FaultPlan

_ERRORS = {
    "throttle": (429, "ThrottlingException", "Rate exceeded"),
    "too_many_requests": (429, "TooManyRequestsException", "Too Many Requests"),
    "internal_error": (500, "InternalServiceException", "Request processing failed because of an internal error."),
    "access_denied": (403, "AccessDeniedException", "Not authorized to perform this operation"),
    "expired_token": (403, "ExpiredTokenException", "The security token included in the request is expired"),
    "quota_exceeded": (402, "ServiceQuotaExceededException", "Concurrent active emails per instance exceeded."),
    "attachment_not_approved": (400, "InvalidRequestException", "Attachment is not approved"),
    "invalid_request": (400, "InvalidRequestException", "The request is not valid."),
    "not_found": (404, "ResourceNotFoundException", "Contact not found"),
    "conflict": (409, "IdempotencyException", "An entity with the same name already exists."),
}
_GARBAGE = Answer(200, b"<<< not JSON")
# A load balancer answers this when the service behind it is down.
_UNAVAILABLE = Answer(
    503, b"<html><head><title>503 Service Unavailable</title></head></html>", {"Content-Type": "text/html"}
)

SEND = "StartOutboundEmailContact"
OPERATIONS = (SEND, "CreateContact", "StopContact", "DescribeContact")
"""The operations that faults can strike, and whose calls are recorded."""
BEFORE = {*_ERRORS, "answer", "drop_before", "garbage", "hang", "unavailable"}
"""Faults that strike before the request is checked, so that nothing is sent, made or stopped."""
AFTER = {"drop_after", "garbage_after", "hang_after"}
"""Faults that strike after the operation was done, and spoil the answer."""
IN_WORDS = (
    "The faults, by how Connect answers instead of sending: "
    + ", ".join(f"{name} ({status})" for name, (status, _, _) in _ERRORS.items())
    + ", unavailable (503), garbage (200, but not JSON), answer (your own status, error and message).",
    "Connect does not answer: drop_before, hang (for this many seconds, then the connection ends).",
    "Connect sends the email first: drop_after, hang_after (then answers after this many seconds), garbage_after.",
    "Which calls: the next one, or the next times (null: all), with this contact_id, client_token and probability.",
    f"Which operation: {SEND}, or operation: {', '.join(OPERATIONS[1:])}.",
    "If two faults match a call, one that strikes before the email is sent goes first.",
)
"""What a person can set with /_local/faults, for `make local`."""


@dataclass
class Fault:
    """A fault, and the calls that it strikes: the next `times` that match. None means all, until it is removed."""

    fault: str
    operation: str = SEND
    times: int | None = 1
    contact_id: str | None = None
    client_token: str | None = None
    probability: float = 1.0
    seconds: float = 60.0  # how long "hang" and "hang_after" wait
    status: int = 500  # status, error and message of "answer"
    error: str | None = None
    message: str = ""

    def matches(self, operation: str, contact_id: str | None, client_token: str | None) -> bool:
        """Return whether the fault is for calls of this operation with this contact and this token."""
        is_for_reply = self.contact_id in (None, contact_id) and self.client_token in (None, client_token)
        return self.operation == operation and is_for_reply


_RULES = {
    "fault": Rule(one_of(*BEFORE, *AFTER), "one of " + ", ".join(sorted(BEFORE | AFTER))),
    "operation": Rule(one_of(*OPERATIONS), "one of " + ", ".join(OPERATIONS)),
    "times": Rule(or_null(whole_number(1)), "a whole number of calls, 1 or more, or null for all until it is removed"),
    "contact_id": Rule(or_null(text), "a contact id, or null for any"),
    "client_token": Rule(or_null(text), "a client token, or null for any"),
    "probability": Rule(number(0, 1), "a number from 0 to 1"),
    "seconds": Rule(number(0), "a number of seconds, 0 or more"),
    "status": Rule(whole_number(200, 599), "an HTTP status from 200 to 599"),
    "error": Rule(or_null(text), "the name of an AWS error, or null for none"),
    "message": Rule(lambda value: isinstance(value, str), "a string"),
}


def parsed_faults(content: object) -> list[Fault]:
    """Return the fault, or the list of faults, of a control call.

    Raises:
        ControlCallError: A fault is unknown or invalid.
    """
    faults = []
    for item in content if isinstance(content, list) else [content]:
        members = checked_members(item, _RULES)
        if "fault" not in members:
            raise ControlCallError(f"The member fault is missing. Send {_RULES['fault'].in_words}.")
        faults.append(Fault(**members))
    return faults


class Faults(FaultPlan[Fault]):
    """The faults that are set on an instance."""

    def listed(self) -> list[dict[str, object]]:
        """Return the faults that can still strike as JSON, each with the times that are left."""
        return [asdict(fault) for fault in self]

    def strike_call(
        self, kinds: Collection[str], call: tuple[str, str | None, str | None], rng: Random
    ) -> Fault | None:
        """Return the first fault of these kinds that strikes a call: its operation, contact id and client token."""
        return self.strike(lambda fault: fault.fault in kinds and fault.matches(*call), rng)


def answer_instead(fault: Fault) -> Answer:
    """Return the answer to a call that a fault of `BEFORE` strikes."""
    match fault.fault:
        case "answer":
            return error_answer(fault.status, fault.error, fault.message)
        case "drop_before":
            return CLOSE
        case "garbage":
            return _GARBAGE
        case "hang":
            return replace(CLOSE, wait_seconds=fault.seconds)
        case "unavailable":
            return _UNAVAILABLE
        case name:
            return error_answer(*_ERRORS[name])


def answer_spoilt(fault: Fault, answer: Answer) -> Answer:
    """Return what a fault of `AFTER` makes of the answer to a call that was done."""
    match fault.fault:
        case "hang_after":
            return replace(answer, wait_seconds=fault.seconds)
        case "garbage_after":
            return _GARBAGE
        case _:
            return CLOSE
