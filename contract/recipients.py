"""The guard of stacks that are not for production: they send only to the recipients that a setting allows."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def first_disallowed_recipient(reply: dict[str, Any], allowed: Sequence[str]) -> str | None:
    """Return the path of the first recipient that the patterns don't allow; None if they allow all.

    Args:
        reply: A reply that keeps the contract.
        allowed: Patterns of addresses, in any case; `*` stands for any characters. Without patterns, all are allowed.
    """
    if not allowed:
        return None
    patterns = [pattern.lower() for pattern in allowed]
    for path, address in _recipients(reply):
        if not any(fnmatchcase(address.lower(), pattern) for pattern in patterns):
            return path
    return None


def _recipients(reply: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the path and address of each recipient (StartOutboundEmailContact, Amazon Connect API reference)."""
    yield "reply.DestinationEmailAddress", reply["DestinationEmailAddress"]["EmailAddress"]
    for n, copied in enumerate(reply.get("AdditionalRecipients", {}).get("CcEmailAddresses", [])):
        yield f"reply.AdditionalRecipients.CcEmailAddresses[{n}]", copied["EmailAddress"]
