"""A reply's client token: the same for its whole life, whatever message ids SQS gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.message_attributes import text_of

if TYPE_CHECKING:
    from contract.message_attributes import Attributes

CLIENT_TOKEN = "ClientToken"
MAX_CHARACTERS = 500
"""Characters that StartOutboundEmailContact takes (Amazon Connect API reference)."""


class ClientTokenError(ValueError):
    """The message attribute ClientToken is there but cannot be used; the text says what is right."""


def client_token(message_id: str, attributes: Attributes) -> str:
    """The token that makes Connect accept a reply once: the attribute ClientToken, or else the message id.

    Whoever sends a message again sets the attribute: dead-lettering, replays, a producer that wants its own retries
    safe. SQS keeps the message id on redelivery but gives a new one on every SendMessage and on every redrive;
    attributes survive them all.

    Raises:
        ClientTokenError: The attribute cannot be used. Sending under another token could send the reply twice.
    """
    if CLIENT_TOKEN not in attributes:
        return message_id
    token = text_of(attributes, CLIENT_TOKEN)
    if token is None:
        text = f"The message attribute {CLIENT_TOKEN} has to be of type String."
        raise ClientTokenError(text)
    if not 1 <= len(token) <= MAX_CHARACTERS:
        text = (
            f"The message attribute {CLIENT_TOKEN} has to have 1 to {MAX_CHARACTERS} characters; it has {len(token)}."
        )
        raise ClientTokenError(text)
    return token
