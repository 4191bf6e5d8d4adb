"""One SQS message as Lambda hands it to the function."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

MAX_DIGITS = 20
"""More than any count or time in milliseconds has, and far fewer than Python refuses to read."""


@dataclass(frozen=True, slots=True)
class Message:
    """What the function needs of an SQS record.

    Attributes:
        id: The SQS message id: kept on redelivery, new after a redrive or any other SendMessage.
        receipt_handle: Names this one receive of the message.
        body: The reply, as JSON.
        attributes: The message attributes, in the form of a Lambda event.
        receive_count: How often SQS has handed the message out, this time included.
        sent_at: When it was put on the queue, in seconds since the epoch.
        first_received_at: When it was first handed out, in seconds since the epoch.
    """

    id: str
    receipt_handle: str
    body: str
    attributes: Mapping[str, Mapping[str, Any]]
    receive_count: int
    sent_at: float
    first_received_at: float

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Take a record of an SQS event (timestamps there are strings of milliseconds).

        Only the message id has to be there: of a record that is odd otherwise, what can be read is taken, so that it
        ends on the dead-letter queue, and not in an exception.
        """
        body = record.get("body")
        attributes = _mapping(record.get("messageAttributes"))
        system = _mapping(record.get("attributes"))
        return cls(
            id=record["messageId"],
            receipt_handle=str(record.get("receiptHandle", "")),
            body=body if isinstance(body, str) else "null",
            attributes={name: _mapping(value) for name, value in attributes.items()},
            receive_count=int(_number(system.get("ApproximateReceiveCount"), 1)),
            sent_at=_number(system.get("SentTimestamp"), math.inf) / 1000,
            first_received_at=_number(system.get("ApproximateFirstReceiveTimestamp"), math.inf) / 1000,
        )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: object, otherwise: float) -> float:
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < MAX_DIGITS else otherwise
