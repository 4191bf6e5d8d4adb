"""The messages of one invocation: their order, and what they share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

from handler.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

    from handler.delivery import Delivery


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
    messages = [record for record in records if has_id(record)]
    if len(messages) < len(records):
        delivery.observability.records_without_id(len(records) - len(messages))
    if not messages:  # which Powertools would take for an event of another kind
        return {"batchItemFailures": []}
    batch = Batch.of(messages, seconds_left, delivery.rng)
    return process_partial_response(
        event={"Records": batch.records},
        record_handler=partial(delivery.deliver, batch=batch),
        processor=BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False),
    )


def has_id(record: object) -> bool:
    """Whether a record can be named in an answer; SQS makes no others, and Lambda takes an empty name for a failure."""
    return isinstance(record, dict) and isinstance(record.get("messageId"), str) and record["messageId"] != ""


@dataclass(slots=True)
class Batch:
    """The messages of one invocation.

    Attributes:
        records: The records, in the order to deliver them.
        seconds_left: Seconds until Lambda ends the invocation.
        careful: Whether one of the messages was received before. It may have killed the function then, and do it
            again: what is done is deleted at once, and not left to the answer that a crash would prevent.
    """

    records: list[dict[str, Any]]
    seconds_left: Callable[[], float]
    careful: bool

    @classmethod
    def of(cls, records: Iterable[dict[str, Any]], seconds_left: Callable[[], float], rng: Random) -> Self:
        """Put records in order: those received least often first.

        A message that kills the function comes back together with its neighbours, all received equally often. Among
        those chance decides, so that every neighbour soon comes before it once.
        """

        def receives(record: dict[str, Any]) -> int:
            return Message.from_record(record).receive_count

        def rank(record: dict[str, Any]) -> tuple[int, float]:
            return receives(record), rng.random() if receives(record) > 1 else 0

        ordered = sorted(records, key=rank)
        return cls(ordered, seconds_left, careful=any(receives(record) > 1 for record in ordered))
