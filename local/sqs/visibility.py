"""Twelve hours of visibility time-out from a message's receive, as in SQS; moto counts them from when it was sent.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
"""

from collections.abc import Callable
from weakref import WeakKeyDictionary

from moto.sqs.exceptions import InvalidParameterValue, ReceiptHandleIsInvalid
from moto.sqs.models import Message, SQSBackend

from local.sqs.limits import MAX_VISIBILITY
from local.sqs.long_queue import all_of


def count_from_the_receive(milliseconds: Callable[[], float]) -> None:
    """Have all queues do so; `milliseconds` is their clock, since the epoch."""
    received_at: WeakKeyDictionary[Message, float] = WeakKeyDictionary()
    motos_mark_received = Message.mark_received

    def mark_received(message: Message, visibility_timeout: int | None = None) -> None:
        received_at[message] = milliseconds()
        motos_mark_received(message, visibility_timeout)

    def change_message_visibility(
        backend: SQSBackend, queue_name: str, receipt_handle: str, visibility_timeout: int
    ) -> None:
        queue = backend.get_queue(queue_name)
        message = next((each for each in all_of(queue) if each.had_receipt_handle(receipt_handle)), None)
        if message is None:
            raise ReceiptHandleIsInvalid
        held = (milliseconds() - received_at.get(message, milliseconds())) / 1000
        if held + visibility_timeout > MAX_VISIBILITY:
            raise InvalidParameterValue(
                f"Value {visibility_timeout} for parameter VisibilityTimeout is invalid. Reason: Total "
                f"VisibilityTimeout for the message is beyond the limit [{MAX_VISIBILITY} seconds]"
            )
        message.change_visibility(visibility_timeout)
        if message.visible:
            queue.pending_messages.discard(message)

    Message.mark_received = mark_received  # type: ignore[assignment, method-assign]
    SQSBackend.change_message_visibility = change_message_visibility  # type: ignore[assignment, method-assign]
