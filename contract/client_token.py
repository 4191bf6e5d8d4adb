"""A reply's client token: the same for its whole life, whatever message ids SQS gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.message_attributes import text_of

if TYPE_CHECKING:
    from contract.message_attributes import Attributes

CLIENT_TOKEN = "ClientToken"
"""A producer's own token."""
MESSAGE_ID = "ReplyCourier.MessageId"
"""The id that SQS gave the reply first. Whoever sends it again sets this, since every SendMessage gives a new id."""
MAX_CHARACTERS = 500
"""Characters that StartOutboundEmailContact takes (Amazon Connect API reference)."""


class ClientTokenError(ValueError):
    """An attribute that names the token is there but cannot be used; the text says what is right."""


def client_token(message_id: str, attributes: Attributes) -> str:
    """The token that makes Connect accept a reply once: ClientToken, else ReplyCourier.MessageId, else the message id.

    SQS keeps the message id on redelivery but gives a new one on every SendMessage and on every redrive; attributes
    survive them all.

    Raises:
        ClientTokenError: The attribute cannot be used. Sending under another token could send the reply twice.
    """
    name = next((name for name in (CLIENT_TOKEN, MESSAGE_ID) if name in attributes), None)
    if name is None:
        if any(name.lower() == CLIENT_TOKEN.lower() for name in attributes):
            text = f"A message attribute is named almost like {CLIENT_TOKEN}: write the name exactly so."
            raise ClientTokenError(text)
        return message_id
    token = text_of(attributes, name)
    if token is None:
        text = f"The message attribute {name} has to be of type String."
        raise ClientTokenError(text)
    if not 1 <= len(token) <= MAX_CHARACTERS:
        text = f"The message attribute {name} has to have 1 to {MAX_CHARACTERS} characters; it has {len(token)}."
        raise ClientTokenError(text)
    return token


def is_first_life(attributes: Attributes) -> bool:
    """Whether the token is the id that SQS has made for this very message: then nothing else can have used it."""
    return CLIENT_TOKEN not in attributes and MESSAGE_ID not in attributes
