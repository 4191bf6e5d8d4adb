"""Email contacts that were created and wait to be sent."""

from collections.abc import Iterable
from dataclasses import dataclass

from local.connect.answer import Refused

# An email contact that is not sent expires after 12 hours, or what CreateContact's ExpiryDurationInMinutes says.
DEFAULT_EXPIRY_SECONDS = 12 * 3600.0


@dataclass
class _Draft:
    expires_at: float
    is_sent: bool = False


class Drafts:
    """The instance's drafts by contact id. Each can be sent until it expires (epoch seconds), as a rule once."""

    def __init__(self) -> None:
        self._drafts: dict[str, _Draft] = {}

    def add(self, contact_ids: Iterable[str], expires_at: float) -> None:
        """Add drafts; one that is there already starts anew."""
        for contact_id in contact_ids:
            self._drafts[contact_id] = _Draft(expires_at)

    def remove(self, contact_id: str) -> bool:
        """Remove a draft. False if there is none."""
        return self._drafts.pop(contact_id, None) is not None

    def check(self, contact_id: str, now: float, *, sends_again: bool) -> None:
        """Check that the contact can be sent now; `sends_again`: one that was sent can.

        Raises:
            Refused: ResourceNotFoundException if it is unknown or expired, InvalidRequestException if it is sent.
        """
        draft = self._drafts.get(contact_id)
        if draft is not None and draft.is_sent and not sends_again:
            raise Refused("InvalidRequestException", "The email of this contact has been sent already.")
        if draft is None or draft.expires_at <= now:
            raise Refused("ResourceNotFoundException", "Contact not found")

    def mark_sent(self, contact_id: str) -> None:
        """Mark a draft, checked before, as sent."""
        self._drafts[contact_id].is_sent = True
