"""One SQS message, as Lambda passes it to the function."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from contract.client_token import client_token, first_tried_at, token_is_message_id
from contract.message_attributes import SYSTEM_ATTRIBUTES

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

MAX_DIGITS = 20
"""More than any count or time in milliseconds has, and far fewer than Python refuses to parse."""


@dataclass(frozen=True, slots=True)
class Message:
    """What the function needs of an SQS record.

    Attributes:
        id: The SQS message id. It stays on redelivery, and is new after a redrive or another SendMessage.
        receipt_handle: Identifies this receive of the message.
        body: The reply, as JSON.
        attributes: The message attributes, in the form that SendMessage takes.
        receive_count: How often SQS has delivered the message, this time included.
        sent_at: When it was put on the queue, in seconds since the epoch.
        first_received_at: When it was first received, in seconds since the epoch.
        system_attributes: The system attributes that it keeps whenever it is sent again, by name.
    """

    id: str
    receipt_handle: str
    body: str
    attributes: Mapping[str, MessageAttributeValueTypeDef]
    receive_count: int
    sent_at: float
    first_received_at: float
    system_attributes: Mapping[str, str]

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Read a record of an SQS event (timestamps there are strings of milliseconds).

        Only the message id is required. Anything else that is missing or invalid gets a default, so that an odd record
        ends on the dead-letter queue and not in an exception.
        """
        body = record.get("body")
        attributes = _mapping(record.get("messageAttributes"))
        system = _mapping(record.get("attributes"))
        return cls(
            id=record["messageId"],
            receipt_handle=str(record.get("receiptHandle", "")),
            body=body if isinstance(body, str) else "null",
            attributes={name: _attribute(_mapping(value)) for name, value in attributes.items()},
            receive_count=int(_number(system.get("ApproximateReceiveCount"), 1)),
            sent_at=_number(system.get("SentTimestamp"), math.inf) / 1000,
            first_received_at=_number(system.get("ApproximateFirstReceiveTimestamp"), math.inf) / 1000,
            system_attributes={
                name: value for name in SYSTEM_ATTRIBUTES if isinstance(value := system.get(name), str) and value
            },
        )

    def client_token(self) -> str:
        """Return the reply's client token.

        Raises:
            contract.client_token.ClientTokenError: The attribute that names it can't be used.
        """
        return client_token(self.id, self.attributes)

    @property
    def token_is_message_id(self) -> bool:
        """Whether the token is the message's own id, so that no other message can have used it."""
        return token_is_message_id(self.attributes)

    @property
    def tried_since(self) -> float | None:
        """When Connect may first have been called, in seconds since the epoch; None if not before this receive."""
        tried = first_tried_at(self.attributes, self.sent_at)
        return self.first_received_at if tried is None and self.receive_count > 1 else tried


def _attribute(value: Mapping[str, Any]) -> MessageAttributeValueTypeDef:
    """Convert an attribute from its form in a Lambda event to SendMessage's; without a value if it has no valid one."""
    kind, text, binary = (value.get(part) for part in ("dataType", "stringValue", "binaryValue"))
    data_type = kind if isinstance(kind, str) else ""
    if isinstance(binary, str) and (content := _decode(binary)):
        return {"DataType": data_type, "BinaryValue": content}
    if isinstance(text, str):
        return {"DataType": data_type, "StringValue": text}
    return {"DataType": data_type}


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: object, default: float) -> float:
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < MAX_DIGITS else default
