"""The email contacts of an instance, and the client tokens that it remembers."""

from collections.abc import Hashable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

from local.connect.answer import Refused
from local.connect.settings import RefusalCase

# A draft expires after 12 hours, unless CreateContact sets ExpiryDurationInMinutes.
DEFAULT_EXPIRY_SECONDS = 12 * 3600.0
# "The token is valid for 7 days after creation": so documented for StartOutboundVoiceContact and StartChatContact.
TOKEN_MEMORY_SECONDS = 7 * 24 * 3600.0


@dataclass
class Contact:
    """An email contact: a draft until it's sent or stopped, or expires. Times are epoch seconds.

    Attributes:
        made_at: When it was made.
        expires_at: When it expires, if it's still a draft.
        appears_at: Before this time, the send and DescribeContact don't know it.
        user: The user who writes the email, or None.
        is_sent: Whether it was sent.
        stopped_at: When it was stopped, or None.
    """

    made_at: float
    expires_at: float
    appears_at: float
    user: str | None = None
    is_sent: bool = False
    stopped_at: float | None = None

    def is_draft(self, now: float) -> bool:
        """Return whether it's still a draft."""
        return not self.is_sent and self.stopped_at is None and now < self.expires_at

    def ended_at(self, now: float) -> float | None:
        """Return when it was stopped or expired, or None."""
        return self.stopped_at or (self.expires_at if self.expires_at <= now and not self.is_sent else None)


class Contacts:
    """Contacts by id."""

    def __init__(self) -> None:
        self._contacts: dict[str, Contact] = {}
        self._drafts: dict[str, Contact] = {}
        self._expiries: list[tuple[float, str]] = []

    def add_draft(
        self, contact_id: str, now: float, expires_in: float, appears_in: float = 0, user: str | None = None
    ) -> None:
        """Add a draft, which expires and appears in so many seconds. It replaces a contact with the same id."""
        contact = Contact(now, now + expires_in, now + appears_in, user)
        self._contacts[contact_id] = self._drafts[contact_id] = contact
        heappush(self._expiries, (contact.expires_at, contact_id))

    def remove(self, contact_id: str) -> bool:
        """Remove a contact. Return whether it existed."""
        self._drafts.pop(contact_id, None)
        return self._contacts.pop(contact_id, None) is not None

    def drafts(self, now: float) -> dict[str, Contact]:
        """Return what is still a draft, by id."""
        while self._expiries and self._expiries[0][0] <= now:
            _, contact_id = heappop(self._expiries)
            if (contact := self._drafts.get(contact_id)) and not contact.is_draft(now):
                del self._drafts[contact_id]
        return self._drafts

    def find(self, contact_id: str, now: float) -> Contact | None:
        """Return a contact that has appeared, or None."""
        contact = self._contacts.get(contact_id)
        return contact if contact and contact.appears_at <= now else None

    def refusal(self, contact_id: str, now: float, *, sends_again: bool) -> RefusalCase | None:
        """Return why the contact cannot be sent now, or None. With `sends_again`, a sent contact can be sent again."""
        contact = self.find(contact_id, now)
        if contact is not None and contact.is_sent and not sends_again:
            return RefusalCase.SPENT_CONTACT
        is_gone = contact is None or contact.stopped_at is not None or contact.expires_at <= now
        return RefusalCase.WRONG_CONTACT if is_gone else None

    def mark_sent(self, contact_id: str) -> None:
        """Mark an existing contact as sent."""
        self._contacts[contact_id].is_sent = True
        self._drafts.pop(contact_id, None)

    def stop(self, contact_id: str, now: float) -> None:
        """Stop a draft."""
        self._drafts.pop(contact_id).stopped_at = now


@dataclass(frozen=True)
class _Accepted:
    request: dict[str, Any]
    contact_id: str
    at: float


class TokenMemory:
    """The accepted requests of one operation by what Connect remembers a client token by, oldest first.

    A request without a client token has the key None, and is not remembered.
    """

    def __init__(self) -> None:
        self._accepted: dict[Hashable, _Accepted] = {}

    def recall(self, key: Hashable, request: dict[str, Any], now: float) -> str | None:
        """Return the contact id of the same request if Connect has accepted it before, or None.

        Raises:
            Refused: IdempotencyException, if the token came with a different request before.
        """
        self._forget(now)
        before = self._accepted.get(key)
        if before is None:
            return None
        if before.request != request:
            raise Refused("IdempotencyException", "The client token was used with a different request.")
        return before.contact_id

    def remember(self, key: Hashable, request: dict[str, Any], contact_id: str, now: float) -> None:
        """Remember an accepted request that has a token."""
        if key is not None:
            self._accepted[key] = _Accepted(request, contact_id, now)

    def _forget(self, now: float) -> None:
        while self._accepted and next(iter(self._accepted.values())).at + TOKEN_MEMORY_SECONDS <= now:
            del self._accepted[next(iter(self._accepted))]
