"""Makes moto's queues fast with thousands of messages.

moto's own receive reads the clock for each message on the queue, and counts all messages nine times for each one that
it returns; its delete searches the receipt handles of all messages, twice.
"""

from collections.abc import Callable

from moto.sqs.models import Message, Queue, SQSBackend

motos_delete = Queue.delete_message


def quicken(milliseconds: Callable[[], float]) -> None:
    """Make all queues read the clock (since the epoch) once for each count, and search only where they must."""

    def visible(queue: Queue) -> list[Message]:
        now = milliseconds()
        return [message for message in all_of(queue) if message.delayed_until <= now and message.visible_at < now]

    def delayed(queue: Queue) -> int:
        now = milliseconds()
        return sum(message.delayed_until > now for message in all_of(queue))

    def not_visible(queue: Queue) -> int:
        now = milliseconds()
        return sum(message.visible_at >= now for message in all_of(queue))

    def is_retained(backend: SQSBackend, queue_name: str, message: Message) -> bool:
        kept_for: int = backend.get_queue(queue_name).message_retention_period  # type: ignore[attr-defined]
        return message.sent_timestamp + kept_for * 1000 > milliseconds()  # type: ignore[operator]

    Queue.messages = property(visible)  # type: ignore[assignment]
    Queue.approximate_number_of_messages_delayed = property(delayed)  # type: ignore[assignment]
    Queue.approximate_number_of_messages_not_visible = property(not_visible)  # type: ignore[assignment]
    SQSBackend.is_message_valid_based_on_retention_period = is_retained  # type: ignore[assignment, method-assign]
    Queue.delete_message = delete  # type: ignore[assignment, method-assign]


def delete(queue: Queue, receipt_handle: str) -> None:
    """Search the messages in flight, which are few, before moto searches all."""
    for message in queue.pending_messages:
        if message.had_receipt_handle(receipt_handle):
            all_of(queue).remove(message)
            queue.pending_messages.discard(message)
            queue.deleted_messages.update(filter(None, message.all_receipt_handles))
            return
    motos_delete(queue, receipt_handle)


def all_of(queue: Queue) -> list[Message]:
    """All messages of a queue; moto has no public name for them."""
    return queue._messages  # noqa: SLF001
