"""A letter of the dead-letter queue, as far as it belongs to its reply's story."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract.client_token import MESSAGE_ID, is_identifier

if TYPE_CHECKING:
    from courier.queues.letter import Letter


@dataclass(frozen=True, slots=True)
class LetterNow:
    """What of a letter belongs to its reply's story; its body is not kept.

    Attributes:
        id: The letter's message id.
        token: The reply's client token; None if it cannot be used as one.
        contact_id: Its contact.
        first_id: The id under which SQS first had the reply.
        reason: Why it is there.
        sent_at: Since when, in seconds since the epoch; of a letter that SQS moved, since when the reply waits at all.
    """

    id: str
    token: str | None
    contact_id: str | None
    first_id: str
    reason: str
    sent_at: float

    @property
    def names(self) -> set[str]:
        """All that the reply is known by."""
        return {name for name in (self.id, self.token, self.contact_id, self.first_id) if name}

    @property
    def reply(self) -> str:
        """What all lines and letters of the reply have in common."""
        return self.token if self.token and is_identifier(self.token) else self.first_id


def letter_now(letter: Letter) -> LetterNow:
    """What is kept of a letter."""
    first_id = letter.text(MESSAGE_ID) or letter.id
    return LetterNow(letter.id, letter.token, letter.contact_id, first_id, letter.reason, letter.sent_at)
