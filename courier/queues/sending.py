"""Messages on their way to a queue: what a letter is sent as, and batches, each message of which may fail alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contract.client_token import FIRST_TRIED_AT, iso
from contract.dead_letter import DoesNotFitError, renewed_attributes, resent_attributes
from contract.message_attributes import MAX_BYTES, message_bytes, string, system_attribute_params
from courier.queues.letter import MOVED_BY_SQS, without_stale_reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import BatchResultErrorEntryTypeDef, MessageAttributeValueTypeDef

    from courier.queues.letter import Letter

MAX_ENTRIES = 10
"""Messages of one call; all of them together may have the size of one, MAX_BYTES (Amazon SQS quotas)."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send.

    Attributes:
        name: What people know it by: a letter's id, or a line of a file.
        body: The message body.
        attributes: The message attributes.
        system_attributes: The system attributes that it keeps wherever it goes, by name.
    """

    name: str
    body: str
    attributes: Mapping[str, MessageAttributeValueTypeDef]
    system_attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes that SQS counts."""
        return message_bytes(self.body, self.attributes)


NO_ROOM = "its token has no room beside all its attributes, so it could not come back as it is: replay or edit it"


@dataclass(frozen=True, slots=True)
class NotDone:
    """What could not be done with a message, and why: a person is told."""

    name: str
    why: str


def sendable(message: Outgoing) -> Outgoing | NotDone:
    """The message, if SQS takes one of its size."""
    if message.size <= MAX_BYTES:
        return message
    return NotDone(message.name, f"it is {message.size - MAX_BYTES} bytes over SQS's 1 MiB: make it smaller")


def resent(letter: Letter, now: float, *, force: bool = False, body: str | None = None) -> Outgoing | NotDone:
    """A letter as it is sent again, or why it cannot be.

    Args:
        letter: The letter.
        now: Seconds since the epoch.
        force: Whether an operator sends it although its token may be too old; the function holds it back otherwise.
        body: Another body, from an edit.
    """
    forced = {FIRST_TRIED_AT: string(iso(now))} if force and letter.is_too_old(now) else {}
    text = letter.body if body is None else body
    try:
        attributes = resent_attributes(letter.id, text, {**letter.attributes, **forced}, first_tried_at=_tried(letter))
    except DoesNotFitError:
        return NotDone(letter.id, "leaves no room for its token inside SQS's 1 MiB: make it smaller (dlq edit)")
    return Outgoing(letter.id, text, attributes, letter.system_attributes)


def renewed(letter: Letter) -> Outgoing | NotDone:
    """A letter as it is put on the dead-letter queue again, with all it has, or why it cannot be."""
    kept = without_stale_reason(letter.attributes) if letter.was_moved else letter.attributes
    try:
        attributes = renewed_attributes(letter.id, letter.body, kept, first_tried_at=_tried(letter))
    except DoesNotFitError:
        return NotDone(letter.id, NO_ROOM)
    return Outgoing(letter.id, letter.body, attributes, letter.system_attributes)


def unread(letter: Letter) -> NotDone | None:
    """What to tell of a letter whose body in S3 could not be read now; None if all of it is there."""
    return NotDone(letter.id, "its body in S3 cannot be had now: do it again later") if letter.is_unread else None


def _tried(letter: Letter) -> str | None:
    """When it was first tried, where the letter itself does not say."""
    return iso(letter.sent_at) if letter.reason == MOVED_BY_SQS else None


def batches(messages: Iterable[Outgoing]) -> Iterator[list[Outgoing]]:
    """Put messages, each of them no larger than MAX_BYTES, into batches that SQS takes."""
    batch: list[Outgoing] = []
    room = MAX_BYTES
    for message in messages:
        if batch and (len(batch) == MAX_ENTRIES or message.size > room):
            yield batch
            batch, room = [], MAX_BYTES
        batch.append(message)
        room -= message.size
    if batch:
        yield batch


def send(sqs: SQSClient, queue_url: str, batch: Sequence[Outgoing]) -> list[NotDone]:
    """Send a batch; return the messages that SQS did not take.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: Whether it took them is not known.
    """
    answer = sqs.send_message_batch(
        QueueUrl=queue_url,
        Entries=[
            {
                "Id": str(n),
                "MessageBody": message.body,
                "MessageAttributes": message.attributes,
                **system_attribute_params(message.system_attributes),  # type: ignore[typeddict-item]  # mypy wants every key
            }
            for n, message in enumerate(batch)
        ],
    )
    return [
        NotDone(batch[int(failed["Id"])].name, f"SQS did not take it: {_why(failed)}") for failed in _failed(answer)
    ]


def delete(sqs: SQSClient, queue_url: str, letters: Sequence[Letter]) -> list[NotDone]:
    """Delete up to ten letters; return those that SQS did not delete.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: Whether it deleted them is not known.
    """
    if not letters:
        return []
    answer = sqs.delete_message_batch(
        QueueUrl=queue_url,
        Entries=[{"Id": str(n), "ReceiptHandle": letter.receipt_handle} for n, letter in enumerate(letters)],
    )
    return [NotDone(letters[int(failed["Id"])].id, _why(failed)) for failed in _failed(answer)]


def _failed(answer: Mapping[str, object]) -> Sequence[BatchResultErrorEntryTypeDef]:
    # The key is missing where nothing failed.
    return answer.get("Failed", [])  # type: ignore[return-value]  # as the answers of both calls are typed


def _why(failed: BatchResultErrorEntryTypeDef) -> str:
    """The code alone: the message may quote what it refuses."""
    return failed["Code"]
