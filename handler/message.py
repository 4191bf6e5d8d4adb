"""One SQS message as Lambda hands it to the function."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord


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
    attributes: Mapping[str, Any]
    receive_count: int
    sent_at: float
    first_received_at: float

    @classmethod
    def from_record(cls, record: SQSRecord) -> Self:
        """Take a record of an SQS event (timestamps there are strings of milliseconds)."""
        return cls(
            id=record.message_id,
            receipt_handle=record.receipt_handle,
            body=record.body,
            attributes=record["messageAttributes"],
            receive_count=int(record.attributes.approximate_receive_count),
            sent_at=int(record.attributes.sent_timestamp) / 1000,
            first_received_at=int(record.attributes.approximate_first_receive_timestamp) / 1000,
        )
