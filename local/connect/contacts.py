"""The email contacts of an instance, and the client tokens that it remembers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from local.connect.answer import Refused
from local.connect.settings import RefusalCase

# A draft expires after 12 hours, unless CreateContact sets ExpiryDurationInMinutes.
DEFAULT_EXPIRY_SECONDS = 12 * 3600.0
# "The token is valid for 7 days after creation": so documented for StartOutboundVoiceContact and StartChatContact.
TOKEN_MEMORY_SECONDS = 7 * 24 * 3600.0


@dataclass
class _Contact:
    expires_at: float
    is_sent: bool = False


class Contacts:
    """Contacts by id. A draft can be sent until it expires (epoch seconds)."""

    def __init__(self) -> None:
        self._contacts: dict[str, _Contact] = {}

    def add_drafts(self, contact_ids: Iterable[str], expires_at: float) -> None:
        """Add drafts. They replace contacts with the same ids."""
        for contact_id in contact_ids:
            self._contacts[contact_id] = _Contact(expires_at)

    def remove(self, contact_id: str) -> bool:
        """Remove a contact. Return whether it existed."""
        return self._contacts.pop(contact_id, None) is not None

    def refusal(self, contact_id: str, now: float, *, sends_again: bool) -> RefusalCase | None:
        """Return why the contact cannot be sent now, or None. With `sends_again`, a sent contact can be sent again."""
        contact = self._contacts.get(contact_id)
        if contact is not None and contact.is_sent and not sends_again:
            return RefusalCase.SPENT_CONTACT
        return RefusalCase.WRONG_CONTACT if contact is None or contact.expires_at <= now else None

    def mark_sent(self, contact_id: str) -> None:
        """Mark an existing contact as sent."""
        self._contacts[contact_id].is_sent = True


@dataclass(frozen=True)
class _Accepted:
    request: dict[str, Any]
    contact_id: str
    at: float


class TokenMemory:
    """The accepted requests of one operation by client token, oldest first."""

    def __init__(self) -> None:
        self._accepted: dict[str | None, _Accepted] = {}

    def recall(self, request: dict[str, Any], now: float) -> str | None:
        """Return the contact id of the same request if Connect has accepted it before, or None.

        Raises:
            Refused: IdempotencyException, if the token came with a different request before.
        """
        self._forget(now)
        before = self._accepted.get(request.get("ClientToken"))
        if before is None:
            return None
        if before.request != request:
            raise Refused("IdempotencyException", "The client token was used with a different request.")
        return before.contact_id

    def remember(self, request: dict[str, Any], contact_id: str, now: float) -> None:
        """Remember an accepted request that has a token."""
        token = request.get("ClientToken")
        if token is not None:
            self._accepted[token] = _Accepted(request, contact_id, now)

    def _forget(self, now: float) -> None:
        while self._accepted and next(iter(self._accepted.values())).at + TOKEN_MEMORY_SECONDS <= now:
            del self._accepted[next(iter(self._accepted))]
