"""A reply's client token: which token a message has, and how long Connect is expected to remember it."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contract.message_attributes import string_value

if TYPE_CHECKING:
    from contract.message_attributes import Attributes

CLIENT_TOKEN = "ClientToken"
"""The producer's own token."""
MESSAGE_ID = "ReplyCourier.MessageId"
"""The reply's first SQS message id. Every SendMessage gives a new id, so whoever sends the reply again sets this."""
FIRST_TRIED_AT = "ReplyCourier.FirstTriedAt"
"""When Connect may first have been called with the token (ISO 8601). Absent: it was never called."""
MAX_TOKEN_CHARACTERS = 500
"""Longest ClientToken of StartOutboundEmailContact (Amazon Connect API reference)."""
MEMORY_SECONDS = 7 * 86_400 - 3600
"""How long Connect is expected to remember a token. AWS documents 7 days for voice and chat, and nothing for email. An
hour less, because a delivery may begin before the end of the 7 days and attempt after it."""
_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:/+=-]{1,500}")


class ClientTokenError(ValueError):
    """The message attribute that names the token can't be used. The text says what to change."""


def client_token(message_id: str, attributes: Attributes) -> str:
    """Return the token: ClientToken, else ReplyCourier.MessageId, else the message id.

    SQS keeps the message id on redelivery, and gives a new id on every SendMessage and redrive. Attributes survive all
    of these.

    Raises:
        ClientTokenError: The attribute can't be used. Another token could send the reply twice.
    """
    name = next((name for name in (CLIENT_TOKEN, MESSAGE_ID) if name in attributes), None)
    if name is None:
        if any(name.lower() == CLIENT_TOKEN.lower() for name in attributes):
            misspelt = f"A message attribute's name differs from {CLIENT_TOKEN} only in case"
            raise ClientTokenError(f"{misspelt}: write it exactly as {CLIENT_TOKEN}.")
        return message_id
    token = string_value(attributes, name)
    if token is None:
        raise ClientTokenError(f"The message attribute {name} must be of type String.")
    if not 1 <= len(token) <= MAX_TOKEN_CHARACTERS:
        length = f"1 to {MAX_TOKEN_CHARACTERS} characters, but has {len(token)}"
        raise ClientTokenError(f"The message attribute {name} must have {length}.")
    return token


def token_is_message_id(attributes: Attributes) -> bool:
    """Return whether the token is the message's own id, so that no other message can have used it."""
    return CLIENT_TOKEN not in attributes and MESSAGE_ID not in attributes


def first_tried_at(attributes: Attributes, sent_at: float) -> float | None:
    """Return when Connect may first have been called before this message was sent; None if it was not.

    Args:
        attributes: The message's attributes.
        sent_at: SQS's SentTimestamp. A later FirstTriedAt counts as this time.

    Returns:
        Seconds since the epoch. A time that can't be read counts as minus infinity, so that a person checks the reply.
    """
    if FIRST_TRIED_AT not in attributes:
        return None
    tried_at = parse_iso(string_value(attributes, FIRST_TRIED_AT))
    return -math.inf if tried_at is None else min(tried_at, sent_at)


def token_expired(tried_at: float | None, now: float) -> bool:
    """Return whether Connect may have forgotten a token that was first used at `tried_at` (None: never)."""
    return tried_at is not None and now - tried_at > MEMORY_SECONDS


def iso(seconds: float) -> str:
    """Format seconds since the epoch, such as 2026-11-22T08:15:00.000+00:00."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def parse_iso(text: str | None) -> float | None:
    """Parse an ISO 8601 time with a UTC offset; return seconds since the epoch, or None if it is not one."""
    try:
        time = datetime.fromisoformat(text or "")
        seconds = time.timestamp()
    except (ValueError, OverflowError):
        return None
    return seconds if time.tzinfo is not None and seconds >= 0 else None


def is_identifier(text: str) -> bool:
    """Return whether a token or an id may be logged and printed.

    Producers choose tokens and contact ids. An identifier can't be an email address or control a terminal.
    """
    return _IDENTIFIER.fullmatch(text) is not None
