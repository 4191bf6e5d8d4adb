"""When the replies that wait will be gone, and how much of the rate is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from courier.queues.metrics import SENT_MINUTES

if TYPE_CHECKING:
    from courier.mapping import Sending


@dataclass(frozen=True, slots=True)
class Outlook:
    """How sending goes on.

    Attributes:
        sending: Whether replies are being sent.
        send_rate: Replies a second, as the stack is set; None if it does not say.
        sent: Replies sent in the last minutes (SENT_MINUTES); None if CloudWatch does not tell.
    """

    sending: Sending
    send_rate: float | None
    sent: float | None

    def gone_in(self, replies: int) -> float | None:
        """Seconds until so many replies are gone if they leave at sendRate; None if nobody knows, or it is paused."""
        return None if self.send_rate is None or self.sending.is_off else replies / self.send_rate

    @property
    def share_used(self) -> float | None:
        """How much of sendRate was used, of 1."""
        if self.sent is None or self.send_rate is None:
            return None
        return self.sent / (60 * SENT_MINUTES * self.send_rate)

    def to_json(self, replies: int) -> dict[str, Any]:
        """As `status --json` writes it, for so many replies that wait."""
        gone_in, share = self.gone_in(replies), self.share_used
        return {
            **self.sending.to_json(),
            "send_rate": self.send_rate,
            "gone_in_seconds": None if gone_in is None else round(gone_in),
            "share_used": None if share is None else round(share, 3),
        }
