"""Where a reply goes to, and the guard of stacks that are not for production: they send to some addresses only."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def not_allowed(reply: dict[str, Any], allowed: Sequence[str]) -> str | None:
    """The first recipient that a reply may not go to, by its path in the body; None if it may go to all.

    Args:
        reply: A body that keeps the contract.
        allowed: Patterns of addresses, `*` for any characters, whatever their case; without any, all are allowed.
    """
    if not allowed:
        return None
    patterns = [pattern.lower() for pattern in allowed]
    for path, address in _recipients(reply):
        if not any(fnmatchcase(address.lower(), pattern) for pattern in patterns):
            return path
    return None


def _recipients(reply: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every address that an email goes to (StartOutboundEmailContact in the Amazon Connect API reference)."""
    yield "reply.DestinationEmailAddress", reply["DestinationEmailAddress"]["EmailAddress"]
    for n, copied in enumerate(reply.get("AdditionalRecipients", {}).get("CcEmailAddresses", [])):
        yield f"reply.AdditionalRecipients.CcEmailAddresses[{n}]", copied["EmailAddress"]
