"""Batches of SQS: many messages in one call, each of which may fail alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import BatchResultErrorEntryTypeDef, MessageAttributeValueTypeDef

    from courier.letters import Letter

MAX_ENTRIES = 10
MAX_ATTRIBUTES = 10
MAX_BYTES = 1_048_576
"""Of a message, and of all messages of a batch together, attributes included (Amazon SQS quotas)."""


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
        """Bytes that SQS counts: the body, and names, types and values of the attributes."""
        return len(self.body.encode()) + sum(_size(*attribute) for attribute in self.attributes.items())


@dataclass(frozen=True, slots=True)
class Left:
    """What could not be done with a message, and why: a person is told."""

    name: str
    why: str


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


def send(sqs: SQSClient, queue_url: str, batch: Sequence[Outgoing]) -> list[Left]:
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
    return [Left(batch[int(failed["Id"])].name, f"SQS did not take it: {_why(failed)}") for failed in _failed(answer)]


def delete(sqs: SQSClient, queue_url: str, letters: Sequence[Letter]) -> list[Left]:
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
    return [Left(letters[int(failed["Id"])].id, _why(failed)) for failed in _failed(answer)]


def _failed(answer: Mapping[str, object]) -> Sequence[BatchResultErrorEntryTypeDef]:
    # The key is missing where nothing failed.
    return answer.get("Failed", [])  # type: ignore[return-value]  # as the answers of both calls are typed


def _why(failed: BatchResultErrorEntryTypeDef) -> str:
    """The code alone: the message may quote what it refuses."""
    return failed["Code"]


def _size(name: str, value: MessageAttributeValueTypeDef) -> int:
    content = value.get("BinaryValue") or value.get("StringValue", "")
    return len(name.encode()) + len(value["DataType"].encode()) + len(_bytes(content))


def _bytes(content: object) -> bytes:
    return content.encode() if isinstance(content, str) else bytes(content)  # type: ignore[call-overload]  # bytes
