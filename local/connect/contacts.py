"""The contacts that an instance has, and the client tokens that it remembers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from local.connect.answer import Refused
from local.connect.settings import Case

# An unsent email contact expires after 12 hours, unless CreateContact sets ExpiryDurationInMinutes.
DEFAULT_EXPIRY_SECONDS = 12 * 3600.0


@dataclass
class _Draft:
    expires_at: float
    is_sent: bool = False


class Drafts:
    """The instance's drafts by contact id. Each can be sent until it expires (epoch seconds), by default once."""

    def __init__(self) -> None:
        self._drafts: dict[str, _Draft] = {}

    def add(self, contact_ids: Iterable[str], expires_at: float) -> None:
        """Add drafts, or replace those that exist."""
        for contact_id in contact_ids:
            self._drafts[contact_id] = _Draft(expires_at)

    def remove(self, contact_id: str) -> bool:
        """Remove a draft. Return whether it existed."""
        return self._drafts.pop(contact_id, None) is not None

    def obstacle(self, contact_id: str, now: float, *, sends_again: bool) -> Case | None:
        """Return why the contact cannot be sent now. With `sends_again`, a contact that was sent can be sent again."""
        draft = self._drafts.get(contact_id)
        if draft is not None and draft.is_sent and not sends_again:
            return Case.SPENT_CONTACT
        return Case.WRONG_CONTACT if draft is None or draft.expires_at <= now else None

    def mark_sent(self, contact_id: str) -> None:
        """Mark a draft, which was checked, as sent."""
        self._drafts[contact_id].is_sent = True


# "The token is valid for 7 days after creation": so documented for StartOutboundVoiceContact and StartChatContact.
MEMORY_SECONDS = 7 * 24 * 3600.0


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
        """Return the contact id with which this same request was answered before; None for a new request.

        Raises:
            Refused: with IdempotencyException, if the token came with a different request before.
        """
        self._forget(now)
        before = self._accepted.get(request.get("ClientToken"))
        if before is None:
            return None
        if before.request != request:
            raise Refused("IdempotencyException", "The client token was used with a different request.")
        return before.contact_id

    def remember(self, request: dict[str, Any], contact_id: str, now: float) -> None:
        """Remember an accepted request, if it has a token."""
        token = request.get("ClientToken")
        if token is not None:
            self._accepted[token] = _Accepted(request, contact_id, now)

    def _forget(self, now: float) -> None:
        while self._accepted and next(iter(self._accepted.values())).at + MEMORY_SECONDS <= now:
            del self._accepted[next(iter(self._accepted))]
