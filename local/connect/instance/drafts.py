"""Email contacts that are created and not yet sent."""

from collections.abc import Iterable
from dataclasses import dataclass

from local.connect.answer import Refused

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

    def check(self, contact_id: str, now: float, *, sends_again: bool) -> None:
        """Check that the contact can be sent now. With `sends_again`, a contact that was sent can be sent again.

        Raises:
            Refused: ResourceNotFoundException if it is unknown or expired, InvalidRequestException if it was sent.
        """
        draft = self._drafts.get(contact_id)
        if draft is not None and draft.is_sent and not sends_again:
            raise Refused("InvalidRequestException", "The email of this contact has been sent already.")
        if draft is None or draft.expires_at <= now:
            raise Refused("ResourceNotFoundException", "Contact not found")

    def mark_sent(self, contact_id: str) -> None:
        """Mark a draft, which was checked, as sent."""
        self._drafts[contact_id].is_sent = True
