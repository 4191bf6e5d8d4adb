"""The messages of one invocation: their order, and the answer to Lambda."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handler.delivery import Delivery, Invocation, NotDoneError
from handler.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse


def deliver_all(
    records: list[Any], seconds_left: Callable[[], float], delivery: Delivery
) -> PartialItemFailureResponse:
    """Deliver the records of one invocation, one after the other.

    Args:
        records: As they stand in the event.
        seconds_left: Seconds until Lambda ends the invocation.
        delivery: Delivers each.

    Returns:
        The ids of the messages that are not done. Nothing is raised, also not for a batch that failed whole.
    """
    messages = in_order([Message.from_record(record) for record in records if has_id(record)], delivery.rng)
    if len(messages) < len(records):
        delivery.observability.records_without_id(len(records) - len(messages))
    invocation = Invocation(seconds_left, delete_at_once=any_received_before(messages))
    not_done = [message for message in messages if not deliver_one(message, invocation, delivery)]
    delivery.outcomes.tell(seconds_left)  # before the answer, upon which Lambda deletes what is done
    return {"batchItemFailures": [{"itemIdentifier": message.id} for message in not_done]}


def deliver_one(message: Message, invocation: Invocation, delivery: Delivery) -> bool:
    """Deliver one message, and return whether it is done; whatever fails, its neighbours have their turn."""
    try:
        delivery.deliver(message, invocation)
    except NotDoneError:
        return False
    except Exception as bug:  # noqa: BLE001 - a fault of ours must neither lose the message nor stop its neighbours
        delivery.observability.failed("reply_failed", message, bug)
        return False
    return True


def has_id(record: object) -> bool:
    """Whether a record can be named in an answer; SQS makes no others, and Lambda takes an empty name for a failure."""
    return isinstance(record, dict) and isinstance(record.get("messageId"), str) and record["messageId"] != ""


def any_received_before(messages: Iterable[Message]) -> bool:
    """Whether one of the messages may have crashed the function at an earlier receive."""
    return any(message.receive_count > 1 for message in messages)


def in_order(messages: Iterable[Message], rng: Random) -> list[Message]:
    """The messages in the order to deliver them: those received for the first time, then the others in random order.

    A message that crashes the function comes back together with its neighbours. Chance decides, whatever their receive
    counts, so that every neighbour soon comes before it once.
    """

    def rank(message: Message) -> tuple[bool, float]:
        was_received = message.receive_count > 1
        return was_received, rng.random() if was_received else 0

    return sorted(messages, key=rank)
