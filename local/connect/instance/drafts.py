"""Email contacts that are created and not yet sent."""

from collections.abc import Iterable
from dataclasses import dataclass

from local.connect.instance.settings import Case

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
