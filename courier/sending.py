"""Messages on their way to a queue: what a letter is sent as, and batches, each message of which may fail alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract.dead_letter import Reason, resent_attributes
from contract.message_attributes import MAX_BYTES, message_bytes
from courier.letters import MOVED_BY_SQS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import BatchResultErrorEntryTypeDef, MessageAttributeValueTypeDef

    from courier.letters import Letter

MAX_ENTRIES = 10
"""Messages of one call; all of them together may have the size of one, MAX_BYTES (Amazon SQS quotas)."""
MOVED_BY_SQS_REASON = Reason.RETRIES_EXHAUSTED
"""What a letter without a reason is sent with: it has been received, so it may have been sent. The function takes
"token already used" (409) for "already sent" only where it sees that. A message that seems new would be taken for
another reply with the same token, and dead-lettered although it was sent."""
MOVED_BY_SQS_DETAIL = "SQS itself moved it here, after more receives than the queue allows."


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send.

    Attributes:
        name: What people know it by: a letter's id, or a line of a file.
        body: The message body.
        attributes: The message attributes.
    """

    name: str
    body: str
    attributes: Mapping[str, MessageAttributeValueTypeDef]

    @property
    def size(self) -> int:
        """Bytes that SQS counts."""
        return message_bytes(self.body, self.attributes)


@dataclass(frozen=True, slots=True)
class NotDone:
    """What could not be done with a message, and why: a person is told."""

    name: str
    why: str


def sendable(message: Outgoing) -> Outgoing | NotDone:
    """The message, if SQS takes one of its size."""
    if message.size <= MAX_BYTES:
        return message
    over = message.size - MAX_BYTES
    why = f"with token and reason it is {over} bytes over SQS's 1 MiB: make it smaller (dlq edit)"
    return NotDone(message.name, why)


def resent(letter: Letter) -> Outgoing | NotDone:
    """A letter as it is sent again, or why it cannot be."""
    return sendable(Outgoing(letter.id, letter.body, attributes_of(letter)))


def attributes_of(letter: Letter) -> dict[str, MessageAttributeValueTypeDef]:
    """A letter's attributes as they are sent again; with token and reason where SQS moved it itself.

    The reason stays on it, since it tells the function that the reply may have been sent before.
    """
    moved = letter.reason == MOVED_BY_SQS
    return resent_attributes(
        letter.id,
        "",  # `sendable` looks at the size, which an edit can change
        letter.attributes,
        reason=MOVED_BY_SQS_REASON if moved else "",
        detail=MOVED_BY_SQS_DETAIL if moved else "",
    )


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
            {"Id": str(n), "MessageBody": message.body, "MessageAttributes": message.attributes}
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
