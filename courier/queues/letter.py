"""A dead letter: a message on the dead-letter queue, its token, its reason and its age."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from contract.client_token import ClientTokenError, client_token, first_tried_at, is_identifier, token_expired
from contract.dead_letter import DETAIL, REASON
from contract.message_attributes import SYSTEM_ATTRIBUTES, string_value
from contract.reply import find_contact_id
from courier.payloads import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_sqs.literals import MessageSystemAttributeNameType
    from mypy_boto3_sqs.type_defs import (
        MessageAttributeValueOutputTypeDef,
        MessageAttributeValueTypeDef,
        MessageTypeDef,
    )

    from courier.payloads import Payloads

MOVED_BY_SQS = "MovedBySqs"
"""Stands for the reason of a letter without one: SQS moved it itself, after more receives than the queue allows."""
SQS_SYSTEM_ATTRIBUTES: Sequence[MessageSystemAttributeNameType] = (
    "SentTimestamp",
    "DeadLetterQueueSourceArn",
    *SYSTEM_ATTRIBUTES,
)
"""What a receive has to ask for."""
RETENTION_SECONDS = 14 * 86_400
"""How long the dead-letter queue keeps a letter, from its SentTimestamp."""
EXPIRING_SECONDS = 3 * 86_400
"""A letter that SQS deletes within this time is near its end."""
DRAFT_SECONDS = 12 * 3_600
"""How long a draft lives in Connect by default."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, as it was received.

    Attributes:
        id: The SQS message id.
        receipt_handle: Names this one receive.
        body: The reply, as its producer wrote it, or a pointer to it.
        attributes: Its message attributes, in the form in which they are sent again.
        sent_at: SQS's SentTimestamp, in seconds since the epoch: when it came. For a letter that SQS moved itself it is
            the time at which the producer sent it.
        system_attributes: The system attributes that it keeps wherever it goes, by name.
        was_moved: Whether SQS says that it has moved the letter itself.
        payload: The reply, if the body only points to it and it has been read.
        is_unread: Whether it could not be read now, and may be later.
    """

    id: str
    receipt_handle: str
    body: str
    attributes: Mapping[str, MessageAttributeValueTypeDef]
    sent_at: float
    system_attributes: Mapping[str, str] = field(default_factory=dict)
    was_moved: bool = False
    payload: str | None = None
    is_unread: bool = False

    @property
    def reply(self) -> str:
        """The reply itself, as far as it is known: what the body points to, or else the body."""
        return self.body if self.payload is None else self.payload

    @property
    def reason(self) -> str:
        """The function's reason, or MOVED_BY_SQS."""
        return MOVED_BY_SQS if self.was_moved else self.text(REASON) or MOVED_BY_SQS

    @property
    def token(self) -> str | None:
        """Its client token: the attribute, or else the message id; None if the attribute cannot be used as one."""
        try:
            return client_token(self.id, self.attributes)
        except ClientTokenError:
            return None

    @property
    def contact_id(self) -> str | None:
        """The contact that the reply is for; None if the body does not say."""
        return find_contact_id(self.reply)

    @property
    def first_tried_at(self) -> float | None:
        """When Connect may first have been asked, in seconds since the epoch; None if it was not.

        Minus infinity where the letter says it in a form that cannot be read. A letter that SQS moved may have been
        tried since it was sent.
        """
        tried = first_tried_at(self.attributes, self.sent_at)
        return self.sent_at if tried is None and self.reason == MOVED_BY_SQS else tried

    @property
    def expires_at(self) -> float:
        """When SQS deletes it, in seconds since the epoch."""
        return self.sent_at + RETENTION_SECONDS

    def text(self, name: str) -> str:
        """An attribute of type String, or an empty text."""
        return string_value(self.attributes, name) or ""

    def is_too_old(self, now: float) -> bool:
        """Whether Connect may have forgotten the token, so that a reply that was sent would be sent again."""
        return token_expired(self.first_tried_at, now)


def without_stale_reason(
    attributes: Mapping[str, MessageAttributeValueTypeDef],
) -> dict[str, MessageAttributeValueTypeDef]:
    """The attributes of a letter that SQS moved itself, less the reason that an earlier life may have left there."""
    return {name: value for name, value in attributes.items() if name not in {REASON, DETAIL}}


def received(message: MessageTypeDef) -> Letter:
    """The letter in an answer of ReceiveMessage (with all attributes, and SQS_SYSTEM_ATTRIBUTES)."""
    system: Mapping[str, str] = message["Attributes"]  # type: ignore[assignment]  # its keys are literals
    return Letter(
        id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        body=message["Body"],
        attributes={name: _sendable(value) for name, value in message.get("MessageAttributes", {}).items()},
        sent_at=int(system["SentTimestamp"]) / 1000,
        system_attributes={name: system[name] for name in SYSTEM_ATTRIBUTES if name in system},
        was_moved="DeadLetterQueueSourceArn" in system,
    )


def opened(letter: Letter, payloads: Payloads | None, warn: Callable[[str], None]) -> Letter:
    """The letter with its body, if that is in S3; `warn` is told why it cannot be had."""
    if payloads is None:
        return letter
    try:
        return replace(letter, payload=payloads.text(letter.body, letter.attributes))
    except UnreadableError as unreadable:
        warn(f"{letter.id}: its body in S3 {unreadable}.")
        return replace(letter, is_unread=not unreadable.is_final)


def printable_identifier(text: str | None) -> str | None:
    """The text, if it is a mere identifier. What a producer made up may hold an address, or control a terminal."""
    return text if text and is_identifier(text) else None


def _sendable(value: MessageAttributeValueOutputTypeDef) -> MessageAttributeValueTypeDef:
    if "BinaryValue" in value:
        return {"DataType": value["DataType"], "BinaryValue": value["BinaryValue"]}
    return {"DataType": value["DataType"], "StringValue": value["StringValue"]}
