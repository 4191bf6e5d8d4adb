"""Connect's memory of client tokens."""

from dataclasses import dataclass
from typing import Any

from local.connect.answer import Refused

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
