"""A dead letter: its attributes, its reasons, and how they fit inside SQS's limits."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from contract.client_token import CLIENT_TOKEN
from contract.message_attributes import (
    MAX_ATTRIBUTES,
    MAX_BYTES,
    message_bytes,
    sqs_takes,
    string,
    xml_characters,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from contract.message_attributes import Attributes

REASON, DETAIL, DEAD_LETTERED_AT = "Reason", "Detail", "DeadLetteredAt"
CONTRACT_ATTRIBUTES = (CLIENT_TOKEN, REASON, DETAIL, DEAD_LETTERED_AT)
"""The attributes that a dead letter gets; all others are the producer's."""
MAX_DETAIL = 2_000
"""Characters."""


class Reason(StrEnum):
    """Why a message is on the dead-letter queue: the closed list that operators filter by."""

    INVALID_REPLY = "InvalidReply"
    """The body breaks the contract (reply.schema.json)."""
    INVALID_CLIENT_TOKEN = "InvalidClientToken"
    """The message attribute ClientToken cannot be used as a token."""
    INVALID_REQUEST = "InvalidRequest"
    """Connect says the request is wrong (400)."""
    NOT_FOUND = "NotFound"
    """Connect does not know the contact, the template or another thing that is named (404)."""
    TOKEN_ALREADY_USED = "TokenAlreadyUsed"
    """Connect has accepted a request with this token before (409), and it may have been another reply's."""
    REFUSED = "Refused"
    """Connect refuses the request with an answer that is not documented for it (any other 4xx)."""
    RETRIES_EXHAUSTED = "RetriesExhausted"
    """It was tried for the whole retry window, or received more often than the window allows."""


class DoesNotFitError(ValueError):
    """The body leaves no room for even the required attributes inside SQS's limit on a message's size."""


def dead_letter_attributes(  # noqa: PLR0913 - all that makes a dead letter
    message_id: str, body: str, attributes: Attributes, *, reason: str, detail: str, dead_lettered_at: str
) -> dict[str, MessageAttributeValueTypeDef]:
    """The attributes of a message on its way to the dead-letter queue.

    Args:
        message_id: The message's id, which becomes its token unless it has one.
        body: Its body.
        attributes: The attributes it was received with.
        reason: Why it is dead-lettered.
        detail: What a person needs to mend it.
        dead_lettered_at: When, in ISO 8601.

    Raises:
        DoesNotFitError: See there.
    """
    required = _required(message_id, attributes, reason)
    at = {DEAD_LETTERED_AT: string(dead_lettered_at)}
    return fitting_attributes(body, required, _producers_own(attributes), detail=detail, optional=at)


def resent_attributes(
    message_id: str, body: str, attributes: Attributes, *, reason: str = "", detail: str = ""
) -> dict[str, MessageAttributeValueTypeDef]:
    """The attributes of a dead letter that is sent again: all it has, under the token it has always had.

    Args:
        message_id: The letter's id, which is its token unless it has the attribute.
        body: Its body.
        attributes: The attributes it was received with.
        reason: Its reason, if it has none.
        detail: Its Detail, if it has no reason.

    Raises:
        DoesNotFitError: See there.
    """
    given = {name: value for name, value in attributes.items() if name in CONTRACT_ATTRIBUTES}
    required = {CLIENT_TOKEN: string(message_id), **given, **({REASON: string(reason)} if reason else {})}
    return fitting_attributes(body, required, _producers_own(attributes), detail=detail)


def has_room(message_id: str, body: str, attributes: Attributes) -> bool:
    """Whether a message could be put on a dead-letter queue with its token and any reason."""
    return message_bytes(body, _required(message_id, attributes, max(Reason, key=len))) <= MAX_BYTES


def fitting_attributes(
    body: str, required: Attributes, own: Attributes, *, detail: str = "", optional: Attributes | None = None
) -> dict[str, MessageAttributeValueTypeDef]:
    """A message's attributes inside SQS's limits: ten attributes, and 1 MiB with the body.

    Where room is short, `optional` goes first, then Detail, then the last of the producer's own; Detail names those.

    Args:
        body: The message body.
        required: Attributes that are always there.
        own: The producer's attributes.
        detail: The text of Detail; none if empty.
        optional: Attributes that go first.

    Raises:
        DoesNotFitError: There is no room for `required`.
    """
    for attributes in _offers(required, own, detail, optional or {}):
        if len(attributes) <= MAX_ATTRIBUTES and message_bytes(body, attributes) <= MAX_BYTES:
            return attributes
    raise DoesNotFitError


def _offers(
    required: Attributes, own: Attributes, detail: str, optional: Attributes
) -> Iterator[dict[str, MessageAttributeValueTypeDef]]:
    """Attributes to send with the message, the most complete first."""
    told = {DETAIL: _detail(detail)} if detail else {}
    yield {**own, **required, **told, **optional}
    yield {**own, **required, **told}
    yield {**own, **required}
    for count in reversed(range(len(own))):
        kept, left_out = list(own)[:count], list(own)[count:]
        note = f"Left out, because SQS's limits leave no room: {', '.join(left_out)}. {detail}".rstrip()
        yield {**{name: own[name] for name in kept}, **required, DETAIL: _detail(note)}
    yield dict(required)


def _producers_own(attributes: Attributes) -> Attributes:
    return {name: value for name, value in attributes.items() if name not in CONTRACT_ATTRIBUTES and sqs_takes(value)}


def _required(message_id: str, attributes: Attributes, reason: str) -> Attributes:
    """Token and reason. A token attribute stays as it came, even if it cannot be used: a person has to see it."""
    token = attributes.get(CLIENT_TOKEN)
    return {CLIENT_TOKEN: token if token and sqs_takes(token) else string(message_id), REASON: string(reason)}


def _detail(text: str) -> MessageAttributeValueTypeDef:
    return string(xml_characters(text)[:MAX_DETAIL])
