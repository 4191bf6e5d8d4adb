"""A dead letter: a message on the dead-letter queue, its token, its reason and its age."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from contract.client_token import ClientTokenError, client_token
from contract.dead_letter import DEAD_LETTERED_AT, REASON
from contract.identifier import is_identifier
from contract.message_attributes import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sqs.type_defs import (
        MessageAttributeValueOutputTypeDef,
        MessageAttributeValueTypeDef,
        MessageTypeDef,
    )

MOVED_BY_SQS = "MovedBySqs"
"""Stands for the reason of a letter without one: SQS moved it itself, after more receives than the queue allows."""
TOKEN_MEMORY_SECONDS = 7 * 86_400
"""How long Connect remembers a client token: AWS documents it for voice and chat contacts, and not for email."""
DRAFT_SECONDS = 12 * 3_600
"""How long a draft lives in Connect by default."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, as it was received.

    Attributes:
        id: The SQS message id.
        receipt_handle: Names this one receive.
        body: The reply, as its producer wrote it.
        attributes: Its message attributes, in the form in which they are sent again.
        sent_at: SQS's SentTimestamp, in seconds since the epoch. For a letter that SQS moved itself it is the time
            at which the producer sent it.
    """

    id: str
    receipt_handle: str
    body: str
    attributes: Mapping[str, MessageAttributeValueTypeDef]
    sent_at: float

    @property
    def reason(self) -> str:
        """The function's reason, or MOVED_BY_SQS."""
        return self.text(REASON) or MOVED_BY_SQS

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
        try:
            reply = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        contact_id = reply.get("ContactId") if isinstance(reply, dict) else None
        return contact_id if isinstance(contact_id, str) else None

    @property
    def dead_lettered_at(self) -> float | None:
        """The function's DeadLetteredAt, in seconds since the epoch."""
        try:
            return datetime.fromisoformat(self.text(DEAD_LETTERED_AT)).timestamp()
        except (ValueError, OverflowError):
            return None

    @property
    def waiting_since(self) -> float:
        """Since when it has been a dead letter, or a moment before that, in seconds since the epoch."""
        return min(self.sent_at, self.dead_lettered_at or self.sent_at)

    def text(self, name: str) -> str:
        """An attribute of type String, or an empty text."""
        return text_of(self.attributes, name) or ""

    def is_too_old(self, now: float) -> bool:
        """Whether Connect may have forgotten the token, so that a reply that was sent would be sent again."""
        return now - self.waiting_since > TOKEN_MEMORY_SECONDS


def received(message: MessageTypeDef) -> Letter:
    """The letter in an answer of ReceiveMessage (with all attributes, and SentTimestamp)."""
    return Letter(
        id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        body=message["Body"],
        attributes={name: _sendable(value) for name, value in message.get("MessageAttributes", {}).items()},
        sent_at=int(message["Attributes"]["SentTimestamp"]) / 1000,
    )


def printable_identifier(text: str | None) -> str | None:
    """The text, if it is a mere identifier. What a producer made up may hold an address, or control a terminal."""
    return text if text and is_identifier(text) else None


def _sendable(value: MessageAttributeValueOutputTypeDef) -> MessageAttributeValueTypeDef:
    if "BinaryValue" in value:
        return {"DataType": value["DataType"], "BinaryValue": value["BinaryValue"]}
    return {"DataType": value["DataType"], "StringValue": value["StringValue"]}
