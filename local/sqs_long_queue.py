"""Makes moto's queues quick with thousands of messages: moto itself asks for the time once for each message in them.

A receive looks through the whole queue for what is visible, and again to count it for each message that it returns.
"""

from collections.abc import Callable

from moto.sqs.models import Message, Queue


def quicken(milliseconds: Callable[[], float]) -> None:
    """Let all queues ask for the time (since the epoch) once for each look."""

    def visible(queue: Queue) -> list[Message]:
        now = milliseconds()
        return [message for message in all_of(queue) if message.delayed_until <= now and message.visible_at < now]

    def delayed(queue: Queue) -> int:
        now = milliseconds()
        return sum(message.delayed_until > now for message in all_of(queue))

    def not_visible(queue: Queue) -> int:
        now = milliseconds()
        return sum(message.visible_at >= now for message in all_of(queue))

    Queue.messages = property(visible)  # type: ignore[assignment]
    Queue.approximate_number_of_messages_delayed = property(delayed)  # type: ignore[assignment]
    Queue.approximate_number_of_messages_not_visible = property(not_visible)  # type: ignore[assignment]


def all_of(queue: Queue) -> list[Message]:
    """All messages of a queue, for which moto has no public name."""
    return queue._messages  # noqa: SLF001
