"""A dead letter: its reasons, its attributes, and how these fit inside SQS's limits."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from contract.client_token import CLIENT_TOKEN, FIRST_TRIED_AT, MESSAGE_ID
from contract.message_attributes import (
    MAX_ATTRIBUTES,
    MAX_BYTES,
    is_valid,
    message_bytes,
    replace_invalid_characters,
    string,
)
from contract.payload import PAYLOAD_SIZES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from contract.message_attributes import Attributes

REASON, DETAIL = "ReplyCourier.Reason", "ReplyCourier.Detail"
COURIER_ATTRIBUTES = (MESSAGE_ID, REASON, DETAIL, FIRST_TRIED_AT, "ReplyCourier.ForcedAt")
"""The attributes that this project sets, or that earlier versions set. All others are the producer's."""
NEVER_DROPPED = (CLIENT_TOKEN, *PAYLOAD_SIZES)
"""The producer's attributes that a dead letter always keeps: without them the reply could be sent twice, or has no
body."""
MAX_DETAIL_CHARACTERS = 2_000


class Reason(StrEnum):
    """Why a message is on the dead-letter queue: the closed list that operators filter by."""

    INVALID_REPLY = "InvalidReply"
    """The body breaks the contract (reply.schema.json)."""
    INVALID_PAYLOAD = "InvalidPayload"
    """The message points to a body in S3, but the pointer or its object is invalid."""
    PAYLOAD_NOT_FOUND = "PayloadNotFound"
    """The message points to a body in S3, and there is no such object."""
    RECIPIENT_NOT_ALLOWED = "RecipientNotAllowed"
    """The stack does not send to this address (its setting allowedRecipients)."""
    INVALID_CLIENT_TOKEN = "InvalidClientToken"
    """The message attribute ClientToken (or ReplyCourier.MessageId) cannot be used as a token."""
    INVALID_REQUEST = "InvalidRequest"
    """Connect says that the request is invalid (InvalidRequestException, 400)."""
    NOT_FOUND = "NotFound"
    """Connect does not know the contact, the template or another resource (ResourceNotFoundException, 404)."""
    TOKEN_ALREADY_USED = "TokenAlreadyUsed"
    """Connect knows the token already (IdempotencyException, 409): from this reply, another, or a refused one."""
    TOKEN_TOO_OLD = "TokenTooOld"
    """Connect was first called almost 7 days ago: it may have forgotten the token and send the reply again."""
    MAY_HAVE_BEEN_SENT = "MayHaveBeenSent"
    """An earlier attempt may have been accepted, and a new attempt would be another one: with another text or draft."""
    REFUSED = "Refused"
    """Connect refuses the request with an error code that is not documented for the call (any other 4xx)."""
    RETRIES_EXHAUSTED = "RetriesExhausted"
    """The retry window is over, or the message was received more often than the window allows."""


class DoesNotFitError(ValueError):
    """The body leaves no room for the required attributes inside SQS's limit on a message's size."""


def dead_letter_attributes(  # noqa: PLR0913 - all that makes a dead letter
    message_id: str, body: str, attributes: Attributes, *, reason: str, detail: str, first_tried_at: str | None
) -> dict[str, MessageAttributeValueTypeDef]:
    """Return the attributes of a message that moves to the dead-letter queue.

    Args:
        message_id: The message's id, which becomes ReplyCourier.MessageId unless the message has that attribute.
        body: The message's body.
        attributes: The attributes that the message was received with.
        reason: Why it moves.
        detail: What a person needs to fix it.
        first_tried_at: When Connect may first have been called, in ISO 8601; None if it was not.

    Raises:
        DoesNotFitError: See there.
    """
    required = {**_identity(message_id, attributes, first_tried_at), REASON: string(reason)}
    return _fitting_attributes(body, required, producer_attributes(attributes), detail=detail)


def resent_attributes(
    message_id: str, body: str, attributes: Attributes, *, first_tried_at: str | None
) -> dict[str, MessageAttributeValueTypeDef]:
    """Return the attributes of a dead letter that moves back to the queue of replies. It keeps its token.

    Args:
        message_id: The letter's id, which becomes ReplyCourier.MessageId unless the letter has that attribute.
        body: The letter's body.
        attributes: The attributes that the letter was received with.
        first_tried_at: When Connect may first have been called, in ISO 8601, if the letter does not say.

    Raises:
        DoesNotFitError: See there.
    """
    required = _identity(message_id, attributes, first_tried_at)
    return _fitting_attributes(body, required, producer_attributes(attributes))


def renewed_attributes(
    message_id: str, body: str, attributes: Attributes, *, first_tried_at: str | None
) -> dict[str, MessageAttributeValueTypeDef]:
    """Return the attributes of a dead letter that is sent to the dead-letter queue again, which resets its retention.

    Args:
        message_id: The letter's id, which becomes ReplyCourier.MessageId unless the letter has that attribute.
        body: The letter's body.
        attributes: The attributes that the letter was received with; all of them stay.
        first_tried_at: When Connect may first have been called, in ISO 8601, if the letter does not say.

    Raises:
        DoesNotFitError: Something would have to be dropped.
    """
    renewed = {**attributes, **_identity(message_id, attributes, first_tried_at)}
    if not _fit(body, renewed):
        raise DoesNotFitError
    return renewed


def has_room(message_id: str, body: str, attributes: Attributes, first_tried_at: str) -> bool:
    """Return whether the message would fit on a dead-letter queue with its token and any reason."""
    required = {**_identity(message_id, attributes, first_tried_at), REASON: string(max(Reason, key=len))}
    return _fit(body, {**_never_dropped(producer_attributes(attributes)), **required})


def producer_attributes(attributes: Attributes) -> Attributes:
    """Return the producer's attributes, without those that SQS would refuse."""
    return {name: value for name, value in attributes.items() if name not in COURIER_ATTRIBUTES and is_valid(value)}


def _fitting_attributes(
    body: str, required: Attributes, optional: Attributes, *, detail: str = ""
) -> dict[str, MessageAttributeValueTypeDef]:
    """Return attributes inside SQS's limits: ten attributes, and 1 MiB with the body.

    If space runs out, ReplyCourier.Detail is dropped first, then the last of the optional attributes (but for
    NEVER_DROPPED). Detail names the dropped ones.

    Raises:
        DoesNotFitError: There is no room for what is never dropped.
    """
    for attributes in _candidates({**_never_dropped(optional), **required}, optional, detail):
        if _fit(body, attributes):
            return attributes
    raise DoesNotFitError


def _candidates(
    required: Attributes, optional: Attributes, detail: str
) -> Iterator[dict[str, MessageAttributeValueTypeDef]]:
    """Yield attributes to send with the message, the most complete first."""
    with_detail = {DETAIL: _detail(detail)} if detail else {}
    yield {**optional, **required, **with_detail}
    yield {**optional, **required}
    droppable = [name for name in optional if name not in required]
    for count in reversed(range(len(droppable))):
        dropped = f"Dropped to fit SQS's limits: {', '.join(droppable[count:])}. {detail}".rstrip()
        yield {**{name: optional[name] for name in droppable[:count]}, **required, DETAIL: _detail(dropped)}
    yield dict(required)


def _fit(body: str, attributes: Attributes) -> bool:
    return len(attributes) <= MAX_ATTRIBUTES and message_bytes(body, attributes) <= MAX_BYTES


def _identity(
    message_id: str, attributes: Attributes, first_tried_at: str | None
) -> dict[str, MessageAttributeValueTypeDef]:
    """Return the attributes that say which reply it is, and when it was first tried. Existing ones stay as they are."""
    defaults = {MESSAGE_ID: message_id, FIRST_TRIED_AT: first_tried_at}
    identity = {}
    for name, text in defaults.items():
        if name in attributes and is_valid(attributes[name]):
            identity[name] = attributes[name]
        elif text:
            identity[name] = string(text)
    return identity


def _never_dropped(optional: Attributes) -> Attributes:
    return {name: optional[name] for name in NEVER_DROPPED if name in optional}


def _detail(text: str) -> MessageAttributeValueTypeDef:
    return string(replace_invalid_characters(text)[:MAX_DETAIL_CHARACTERS])
