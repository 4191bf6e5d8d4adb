"""The calls of a send test, and Connect's answers as they may be kept and shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from contract.client_token import is_identifier
from courier.queues.masking import masked

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

OK = 200
_SERVER_ERROR = 500
_PASSING = {402, 408, 429}


class Step(StrEnum):
    """A call, by what is sent; local/connect/settings.py reads these names."""

    BAD_BODY = "bad_body"
    MENDED_BODY = "mended_body"
    MENDED_BODY_NEW_TOKEN = "mended_body_new_token"
    REPEAT = "repeat"
    SPENT_CONTACT = "spent_contact"
    WRONG_CONTACT = "wrong_contact"


@dataclass(frozen=True, slots=True)
class Answer:
    """What Connect answered, less what may be personal.

    Attributes:
        status: The HTTP status; None if there was no answer.
        error: AWS's name for the error; None if there was none.
        message: What Connect said of it, masked.
        same_contact: Whether it was accepted with the contact id of the request.
    """

    status: int | None
    error: str | None = None
    message: str = ""
    same_contact: bool | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether Connect took it."""
        return self.status == OK

    @property
    def is_refused(self) -> bool:
        """Whether Connect refused it for good: an answer that passes, or none, settles nothing."""
        return self.status is not None and OK < self.status < _SERVER_ERROR and self.status not in _PASSING

    def __str__(self) -> str:
        """As a person reads it."""
        if self.is_accepted:
            return "200, accepted" + ("" if self.same_contact else " under another contact id")
        told = f"{self.status or 'no answer'} {self.error or ''}".strip()
        return f"{told}: {self.message}" if self.message else told

    def to_json(self) -> dict[str, Any]:
        """As the file holds it."""
        return asdict(self)


def accepted(contact_id: str, asked_for: str) -> Answer:
    """Connect's answer with a contact id."""
    return Answer(OK, same_contact=contact_id == asked_for)


def refused(error: ClientError) -> Answer:
    """Connect's refusal; its words may quote the request."""
    answer = error.response["Error"]
    code = answer.get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return Answer(status, code if is_identifier(code) else "(withheld)", masked(answer.get("Message", "")))


def unreadable() -> Answer:
    """An answer without a contact id: as with none at all, what came of the call is not known."""
    return Answer(None, "AnswerWithoutContactId")


def lost(error: BotoCoreError) -> Answer:
    """No answer: what came of the call is not known."""
    return Answer(None, type(error).__name__)
