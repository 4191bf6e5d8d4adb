"""A reply's client token: the same for its whole life, whatever message ids SQS gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handler.message import Message

ATTRIBUTE = "ClientToken"
MAX_LENGTH = 500
"""Characters that StartOutboundEmailContact takes (Amazon Connect API reference)."""


class ClientTokenError(ValueError):
    """The message attribute ClientToken is there, but is no token; the text says what is right."""


def client_token(message: Message) -> str:
    """The token that makes Connect accept a reply once: the attribute ClientToken, or else the message id.

    Whoever sends a message again sets the attribute: dead-lettering, replays, a producer that wants its own retries
    safe. SQS keeps the message id on redelivery, but gives a new one on every SendMessage and on every redrive;
    attributes survive them all.

    Raises:
        ClientTokenError: The attribute cannot be used. Sending under another token could send the reply twice.
    """
    attribute = message.attributes.get(ATTRIBUTE)
    if attribute is None:
        return message.id
    token = attribute.get("stringValue")
    if not isinstance(token, str) or attribute.get("dataType", "").partition(".")[0] != "String":
        text = f"The message attribute {ATTRIBUTE} has to be of type String."
        raise ClientTokenError(text)
    if not 1 <= len(token) <= MAX_LENGTH:
        text = f"The message attribute {ATTRIBUTE} has to have 1 to {MAX_LENGTH} characters; it has {len(token)}."
        raise ClientTokenError(text)
    return token
