"""A dead letter: its attributes, its reasons, and how they fit inside SQS's limits."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from contract.client_token import CLIENT_TOKEN, MESSAGE_ID
from contract.message_attributes import (
    MAX_ATTRIBUTES,
    MAX_BYTES,
    message_bytes,
    sqs_takes,
    string,
    xml_characters,
)
from contract.payload import PAYLOAD_SIZES
from contract.token_age import FIRST_TRIED_AT, FORCED_AT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from contract.message_attributes import Attributes

REASON, DETAIL = "ReplyCourier.Reason", "ReplyCourier.Detail"
OURS = (MESSAGE_ID, REASON, DETAIL, FIRST_TRIED_AT, FORCED_AT)
"""The attributes that this project sets; all others are the producer's."""
KEPT = (CLIENT_TOKEN, *PAYLOAD_SIZES)
"""The producer's attributes that are never left out: without them the reply could go twice, or has no body."""
MAX_DETAIL = 2_000
"""Characters."""


class Reason(StrEnum):
    """Why a message is on the dead-letter queue: the closed list that operators filter by."""

    INVALID_REPLY = "InvalidReply"
    """The body breaks the contract (reply.schema.json)."""
    INVALID_PAYLOAD = "InvalidPayload"
    """The message's body is in S3, and its pointer cannot be followed, or what it points to cannot be a reply."""
    PAYLOAD_NOT_FOUND = "PayloadNotFound"
    """The message's body is in S3, and the object is not there any more."""
    RECIPIENT_NOT_ALLOWED = "RecipientNotAllowed"
    """The stack does not send to this address (its setting allowedRecipients)."""
    INVALID_CLIENT_TOKEN = "InvalidClientToken"
    """The message attribute ClientToken (or ReplyCourier.MessageId) cannot be used as a token."""
    INVALID_REQUEST = "InvalidRequest"
    """Connect says the request is wrong (InvalidRequestException, 400)."""
    NOT_FOUND = "NotFound"
    """Connect does not know the contact, the template or another thing named (ResourceNotFoundException, 404)."""
    TOKEN_ALREADY_USED = "TokenAlreadyUsed"
    """Connect has seen this token before (IdempotencyException, 409): in this reply, another, or a refused one."""
    TOKEN_TOO_OLD = "TokenTooOld"
    """Connect was first asked more than 7 days ago: it may have forgotten the token, and would send the reply again."""
    REFUSED = "Refused"
    """Connect refuses the request with an error code that is not documented for it (any other 4xx)."""
    RETRIES_EXHAUSTED = "RetriesExhausted"
    """It was tried for the whole retry window, or received more often than the window allows."""


class DoesNotFitError(ValueError):
    """The body leaves no room for even the required attributes inside SQS's limit on a message's size."""


def dead_letter_attributes(  # noqa: PLR0913 - all that makes a dead letter
    message_id: str, body: str, attributes: Attributes, *, reason: str, detail: str, first_tried_at: str | None
) -> dict[str, MessageAttributeValueTypeDef]:
    """The attributes of a message on its way to the dead-letter queue.

    Args:
        message_id: The message's id, which becomes ReplyCourier.MessageId unless it has one.
        body: Its body.
        attributes: The attributes it was received with.
        reason: Why it is dead-lettered.
        detail: What a person needs to mend it.
        first_tried_at: When Connect may first have been asked, in ISO 8601; None if it was not.

    Raises:
        DoesNotFitError: See there.
    """
    ours = {**_identity(message_id, attributes, first_tried_at), REASON: string(reason)}
    return fitting_attributes(body, ours, producers_own(attributes), detail=detail)


def resent_attributes(
    message_id: str, body: str, attributes: Attributes, *, first_tried_at: str | None
) -> dict[str, MessageAttributeValueTypeDef]:
    """The attributes of a dead letter on its way back to the queue of replies, under the token it has always had.

    Args:
        message_id: The letter's id, which becomes ReplyCourier.MessageId unless it has one.
        body: Its body.
        attributes: The attributes it was received with.
        first_tried_at: When Connect may first have been asked, in ISO 8601, if the letter does not say.

    Raises:
        DoesNotFitError: See there.
    """
    return fitting_attributes(body, _identity(message_id, attributes, first_tried_at), producers_own(attributes))


def renewed_attributes(
    message_id: str, body: str, attributes: Attributes, *, first_tried_at: str | None
) -> dict[str, MessageAttributeValueTypeDef]:
    """The attributes of a dead letter that is put on the dead-letter queue again: all it has, and its first id.

    Args:
        message_id: The letter's id, which becomes ReplyCourier.MessageId unless it has one.
        body: Its body.
        attributes: The attributes it was received with.
        first_tried_at: When Connect may first have been asked, in ISO 8601, if the letter does not say.

    Raises:
        DoesNotFitError: Something would have to be left out.
    """
    renewed = {**attributes, **_identity(message_id, attributes, first_tried_at)}
    if not _fit(body, renewed):
        raise DoesNotFitError
    return renewed


def has_room(message_id: str, body: str, attributes: Attributes, first_tried_at: str) -> bool:
    """Whether a message could be put on a dead-letter queue with its token and any reason."""
    ours = {**_identity(message_id, attributes, first_tried_at), REASON: string(max(Reason, key=len))}
    return _fit(body, {**_kept(producers_own(attributes)), **ours})


def producers_own(attributes: Attributes) -> Attributes:
    """The attributes that are not ours, less those that SQS would refuse: without a type or a value."""
    return {name: value for name, value in attributes.items() if name not in OURS and sqs_takes(value)}


def fitting_attributes(
    body: str, ours: Attributes, own: Attributes, *, detail: str = ""
) -> dict[str, MessageAttributeValueTypeDef]:
    """A message's attributes inside SQS's limits: ten attributes, and 1 MiB with the body.

    Where room is short, ReplyCourier.Detail goes first, then the last of the producer's own; Detail names those.

    Args:
        body: The message body.
        ours: Attributes that are always there.
        own: The producer's attributes, of which KEPT are always there.
        detail: The text of Detail; none if empty.

    Raises:
        DoesNotFitError: There is no room for what is always there.
    """
    for attributes in _offers({**_kept(own), **ours}, own, detail):
        if _fit(body, attributes):
            return attributes
    raise DoesNotFitError


def _offers(required: Attributes, own: Attributes, detail: str) -> Iterator[dict[str, MessageAttributeValueTypeDef]]:
    """Attributes to send with the message, the most complete first."""
    told = {DETAIL: _detail(detail)} if detail else {}
    yield {**own, **required, **told}
    yield {**own, **required}
    spare = [name for name in own if name not in required]
    for count in reversed(range(len(spare))):
        note = f"Left out, because SQS's limits leave no room: {', '.join(spare[count:])}. {detail}".rstrip()
        yield {**{name: own[name] for name in spare[:count]}, **required, DETAIL: _detail(note)}
    yield dict(required)


def _fit(body: str, attributes: Attributes) -> bool:
    return len(attributes) <= MAX_ATTRIBUTES and message_bytes(body, attributes) <= MAX_BYTES


def _identity(
    message_id: str, attributes: Attributes, first_tried_at: str | None
) -> dict[str, MessageAttributeValueTypeDef]:
    """Which reply it is, and since when it may have been tried. An attribute that is there stays as it is."""
    default = {MESSAGE_ID: message_id, FIRST_TRIED_AT: first_tried_at}
    identity = {}
    for name, text in default.items():
        if name in attributes and sqs_takes(attributes[name]):
            identity[name] = attributes[name]
        elif text:
            identity[name] = string(text)
    return identity


def _kept(own: Attributes) -> Attributes:
    return {name: own[name] for name in KEPT if name in own}


def _detail(text: str) -> MessageAttributeValueTypeDef:
    return string(xml_characters(text)[:MAX_DETAIL])
