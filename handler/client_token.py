"""A reply's client token: the same for its whole life, whatever message ids SQS gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handler.verdict import Reason

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


def may_have_been_sent(message: Message) -> bool:
    """Whether this very reply may have used its token before, so that Connect's "already used" means "already sent".

    So it is for a token that SQS made for this message alone, for a message that was received before, and for a dead
    letter that comes back. It is not for a producer's token on a message that is seen for the first time: there the
    same token may have been given to another reply, and this one would be lost.
    """
    if ATTRIBUTE not in message.attributes or message.receive_count > 1:
        return True
    reason = message.attributes.get("Reason", {}).get("stringValue")
    return reason is not None and reason != Reason.TOKEN_ALREADY_USED
