"""A client for the control calls of the emulated Connect, for the demo, tests and benchmarks."""

import json
import urllib.request
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ConnectControl:
    """Calls the emulated Connect at ``url`` (local/connect/control.py)."""

    url: str

    def reset(self) -> None:
        """Reset everything: settings, contacts, tokens, faults and the record."""
        self._call("POST", "reset")

    def settings(self, **changes: object) -> None:
        """Change settings, such as the quota's ``rate`` and ``burst``."""
        self._call("PUT", "settings", changes)

    def draft(self, *contact_ids: str, expires_in_seconds: int = 43_200) -> None:
        """Add drafts with these contact ids."""
        self._call("POST", "drafts", {"contact_ids": contact_ids, "expires_in_seconds": expires_in_seconds})

    @property
    def drafts(self) -> list[str]:
        """The contact ids of all drafts: neither sent, nor stopped, nor expired."""
        contact_ids: list[str] = self._call("GET", "drafts")["contact_ids"]
        return contact_ids

    def receive_emails(self, count: int = 1, active_seconds: float = 300) -> int:
        """Receive inbound emails, each active for some seconds. Return how many Connect refused."""
        refused: int = self._call("POST", "inbound", {"count": count, "active_seconds": active_seconds})["refused"]
        return refused

    @property
    def active(self) -> dict[str, int]:
        """How many emails are active, of which kind, the peaks, and refused inbound emails."""
        active: dict[str, int] = self._call("GET", "active")
        return active

    def fail(self, fault: str, times: int | None = 1, **more: object) -> None:
        """Make the next ``times`` matching calls fail. None means all, until the faults are removed.

        Without an ``operation``, it's for StartOutboundEmailContact.
        """
        self._call("POST", "faults", {"fault": fault, "times": times, **more})

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._call("DELETE", "faults")

    @property
    def calls(self) -> list[dict[str, Any]]:
        """All StartOutboundEmailContact requests, with their answers."""
        calls: list[dict[str, Any]] = self._call("GET", "calls")["calls"]
        return calls

    def calls_of(self, operation: str) -> list[dict[str, Any]]:
        """All requests of an operation, such as "CreateContact", with their answers."""
        calls: list[dict[str, Any]] = self._call("GET", f"calls?operation={operation}")["calls"]
        return calls

    @property
    def sent(self) -> list[dict[str, Any]]:
        """All emails that were sent."""
        sent: list[dict[str, Any]] = self._call("GET", "sent")["sent"]
        return sent

    def _call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_local/{path}", data, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())
