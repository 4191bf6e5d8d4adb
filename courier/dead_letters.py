"""Dead letters, and how to read a queue that SQS can't list.

DeadLetterReader receives every letter, holds it meanwhile, and releases it at the end. Receiving does no harm: the
dead-letter queue has no redrive policy, so SQS moves no letter away from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, Self

from botocore.exceptions import BotoCoreError, ClientError

from contract.client_token import ClientTokenError, client_token, first_tried_at, is_identifier, token_expired
from contract.dead_letter import REASON
from contract.message_attributes import SYSTEM_ATTRIBUTES, string_value
from contract.reply import find_contact_id
from courier import output
from courier.interrupts import uninterrupted
from courier.output import Failure
from courier.payloads import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import MessageSystemAttributeNameType, QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import (
        BatchResultErrorEntryTypeDef,
        MessageAttributeValueOutputTypeDef,
        MessageAttributeValueTypeDef,
        MessageTypeDef,
    )

    from courier.payloads import Payloads

MOVED_BY_SQS = "MovedBySqs"
"""The reason of a letter without one: SQS moved it itself, after more receives than the queue allows."""
RETENTION_SECONDS = 14 * 86_400
"""How long the dead-letter queue keeps a letter, from its SentTimestamp."""
EXPIRING_SECONDS = 3 * 86_400
"""`courier` warns of a letter that SQS deletes within this time."""
DRAFT_SECONDS = 12 * 3_600
"""How long a draft lives in Connect by default."""
MAX_ENTRIES = 10
"""Messages in one batch call; together they may have the size of one, MAX_BYTES (Amazon SQS quotas)."""
MAX_VISIBILITY = 43_200
"""Seconds (Amazon SQS quotas)."""
ASSUMED_RATE = 100
"""Letters a second. Without --rate, or with a faster one, the visibility time-out assumes this rate."""
WAIT_SECONDS = 1
"""A receive that waits asks all of SQS's servers, so an empty one is the end of the list. One that doesn't wait asks a
few of them and can miss letters. The queue's count lags, so it can't tell the end either."""
MAX_REPEATED_RECEIVES = 100
"""A list gives up after this many receives in a row, plus one for each held letter, that return only known letters.
All held letters can become visible at once, if the work is slow. Beyond that, someone releases them all the time."""
_IN_FLIGHT: QueueAttributeNameType = "ApproximateNumberOfMessagesNotVisible"
_SYSTEM_ATTRIBUTES: Sequence[MessageSystemAttributeNameType] = (
    "SentTimestamp",
    "DeadLetterQueueSourceArn",
    *SYSTEM_ATTRIBUTES,
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, as it was received.

    Attributes:
        id: The SQS message id.
        receipt_handle: Identifies this receive.
        body: The reply, as its producer wrote it, or a pointer to it.
        attributes: Its message attributes, in the form in which they are sent again.
        sent_at: SQS's SentTimestamp in seconds since the epoch: when the letter arrived. If SQS moved the letter
            itself, it is when the producer sent it.
        system_attributes: The system attributes that it keeps on every queue, by name.
        was_moved: Whether SQS says that it moved the letter itself.
        payload: The reply, if the body is a pointer and the object was read.
        payload_unavailable: Whether the object couldn't be read now, but may be readable later.
    """

    id: str
    receipt_handle: str
    body: str
    attributes: Mapping[str, MessageAttributeValueTypeDef]
    sent_at: float
    system_attributes: Mapping[str, str] = field(default_factory=dict)
    was_moved: bool = False
    payload: str | None = None
    payload_unavailable: bool = False

    @property
    def reply(self) -> str:
        """The reply itself, if it is known: the payload, or else the body."""
        return self.body if self.payload is None else self.payload

    @property
    def reason(self) -> str:
        """The function's reason, or MOVED_BY_SQS."""
        return MOVED_BY_SQS if self.was_moved else self.text(REASON) or MOVED_BY_SQS

    @property
    def printable_reason(self) -> str:
        """The reason, if it is an identifier."""
        return printable_identifier(self.reason) or "(unreadable)"

    @property
    def printable_token(self) -> str | None:
        """The client token, if it is an identifier: the function logs no other."""
        return printable_identifier(self.token)

    @property
    def token(self) -> str | None:
        """Its client token: the attribute, or else the message id. None if the attribute is not a valid token."""
        try:
            return client_token(self.id, self.attributes)
        except ClientTokenError:
            return None

    @property
    def contact_id(self) -> str | None:
        """The contact that the reply is for; None if the body does not name one."""
        return find_contact_id(self.reply)

    @property
    def first_tried_at(self) -> float | None:
        """The earliest possible attempt in seconds since the epoch; None if there was none.

        It is minus infinity if the attribute is unreadable.
        """
        tried = first_tried_at(self.attributes, self.sent_at)
        return self.default_first_tried_at if tried is None else tried

    @property
    def default_first_tried_at(self) -> float | None:
        """The earliest possible attempt if no attribute says it: SQS moves a letter that may have been attempted."""
        return self.sent_at if self.reason == MOVED_BY_SQS else None

    @property
    def expires_at(self) -> float:
        """When SQS deletes it, in seconds since the epoch."""
        return self.sent_at + RETENTION_SECONDS

    @property
    def payload_failure(self) -> Failure | None:
        """Why the letter can't be processed now: its body in S3 is unavailable. None if all of it is known."""
        return (
            Failure(self.id, "its body in S3 cannot be read now; try again later") if self.payload_unavailable else None
        )

    def text(self, name: str) -> str:
        """An attribute of type String, or an empty text."""
        return string_value(self.attributes, name) or ""

    def token_expired(self, now: float) -> bool:
        """Whether Connect may have forgotten the token, and would send a reply again that it has sent."""
        return token_expired(self.first_tried_at, now)


class _Held(NamedTuple):
    """A letter that was received.

    Attributes:
        receipt_handle: Of its newest receive; None if the letter is not to be released.
        seconds: How long that receive has hidden it.
    """

    receipt_handle: str | None
    seconds: int


class DeadLetterReader:
    """Reads the dead-letter queue. It holds the letters while it is entered, and releases them at the end.

    It can be entered again, and then lists the letters that are still on the queue. It keeps their ids and receipt
    handles in memory; SQS allows 120,000 messages of a queue in flight.

    Args:
        sqs: The client.
        queue_url: The dead-letter queue.
        payloads: The bodies in S3.
        rate: Letters a second, if the work is paced. A slower rate holds letters for longer.
        read_payloads: Whether every letter needs its body from S3.

    Attributes:
        depth: The letters on the queue at the beginning, by SQS's count, which lags.
    """

    depth = 0

    def __init__(
        self,
        sqs: SQSClient,
        queue_url: str,
        *,
        payloads: Payloads | None = None,
        rate: float | None = None,
        read_payloads: bool = False,
    ) -> None:
        self._sqs = sqs
        self._payloads = payloads
        self._queue_url = queue_url
        self._rate = rate
        self._read_payloads = read_payloads
        self._hold_seconds = 0
        self._held: dict[str, _Held] = {}
        self._held_elsewhere_before: bool | None = None
        self._unseen = 0
        self._gave_up = False

    def __enter__(self) -> Self:
        self.depth = self._count("ApproximateNumberOfMessages")
        if self._held_elsewhere_before is None:  # entered again, the count may still include what was held here
            self._held_elsewhere_before = self._count(_IN_FLIGHT) > 0
        self._hold_seconds = hold_seconds(self.depth, self._rate)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with uninterrupted():  # a second Ctrl-C must not leave letters hidden
                self._release_all()
        except (BotoCoreError, ClientError) as not_released:
            name = type(not_released).__name__
            output.warn(
                f"Some letters were not released ({name}). They are visible again within {self._hold_seconds} s."
            )

    def __iter__(self) -> Iterator[Letter]:
        """Every letter once."""
        for letters in self.batches():
            yield from letters

    def batches(self, max_letters: int = MAX_ENTRIES) -> Iterator[list[Letter]]:
        """Every letter once, in batches of what one receive returns, at most `max_letters`."""
        self._unseen, self._gave_up = 0, False
        repeated = 0
        while not self._gave_up:
            with uninterrupted():  # a received letter that is not noted could not be released
                letters = self._receive(max_letters)
                new = {letter.id: letter for letter in letters if letter.id not in self._held}
                held_before = [self._held[letter.id].seconds for letter in letters if letter.id in self._held]
                # Only the newest receipt handle is valid (SQS developer guide, message identifiers).
                self._held |= {letter.id: _Held(letter.receipt_handle, self._hold_seconds) for letter in letters}
            if not letters:
                break
            # A letter that is back was held too briefly. Hold letters twice as long, or the list would never end.
            self._hold_seconds = min(MAX_VISIBILITY, max([self._hold_seconds, *(2 * each for each in held_before)]))
            if new:
                repeated = 0
                yield [self.with_payload(letter) if self._read_payloads else letter for letter in new.values()]
            else:
                repeated += 1
                self._gave_up = repeated >= MAX_REPEATED_RECEIVES + len(self._held)
        self._unseen = self._in_flight_elsewhere()

    def with_payload(self, letter: Letter) -> Letter:
        """The letter with its body from S3, if the message points there. Warns if the body can't be read."""
        if self._payloads is None:
            return letter
        try:
            return replace(letter, payload=self._payloads.text(letter.body, letter.attributes))
        except UnreadableError as error:
            output.warn(f"{letter.id}: its body in S3 {error}.")
            return replace(letter, payload_unavailable=not error.is_final)

    def delete(self, letters: Sequence[Letter]) -> list[Failure]:
        """Delete up to ten letters; return those that SQS did not delete, which are released at the end.

        Raises:
            botocore.exceptions.ClientError, BotoCoreError: SQS may have deleted them.
        """
        failures = delete_letters(self._sqs, self._queue_url, letters)
        not_deleted = {each.name for each in failures}
        self.exclude_from_release(letter for letter in letters if letter.id not in not_deleted)
        return failures

    def exclude_from_release(self, letters: Iterable[Letter]) -> None:
        """Don't release these at the end: they are deleted, or the caller goes on holding them."""
        self._held |= {letter.id: _Held(None, 0) for letter in letters}

    def unseen_failures(self) -> list[Failure]:
        """What to report if the list has come to its end and is incomplete."""
        if self._gave_up:
            return [Failure("some letters", "not read, because someone releases letters meanwhile; run it again")]
        if not self._unseen:
            return []
        name = f"about {output.count_letters(self._unseen)}"
        return [Failure(name, "held by somebody else now, or a moment ago; run it again")]

    def _receive(self, max_letters: int) -> list[Letter]:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=max_letters,
            VisibilityTimeout=self._hold_seconds,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=_SYSTEM_ATTRIBUTES,
        )
        return [parse_letter(message) for message in answer.get("Messages", [])]

    def _release_all(self) -> None:
        handles = [each.receipt_handle for each in self._held.values() if each.receipt_handle is not None]
        for batch in (handles[first : first + MAX_ENTRIES] for first in range(0, len(handles), MAX_ENTRIES)):
            # SQS refuses an entry only if its visibility time-out is over: then nothing is left to release.
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": 0} for n, handle in enumerate(batch)
                ],
            )
        self._held = {name: each for name, each in self._held.items() if each.receipt_handle is None}

    def _in_flight_elsewhere(self) -> int:
        """The letters in flight that this list does not hold.

        The count lags, so it can still include letters that were deleted here. They count as another's only if
        someone held letters before.
        """
        in_flight = self._count(_IN_FLIGHT)
        if self._held_elsewhere_before:
            return max(0, in_flight - sum(1 for each in self._held.values() if each.receipt_handle))
        return max(0, in_flight - len(self._held))

    def _count(self, name: QueueAttributeNameType) -> int:
        answer = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=[name])
        return int(answer["Attributes"][name])


def hold_seconds(depth: int, rate: float | None) -> int:
    """How long to hold each letter: until all are done, and a minute. If courier is killed, it is visible then."""
    return min(MAX_VISIBILITY, 60 + round(depth / min(rate or ASSUMED_RATE, ASSUMED_RATE)))


def delete_letters(sqs: SQSClient, queue_url: str, letters: Sequence[Letter]) -> list[Failure]:
    """Delete up to ten letters; return those that SQS did not delete.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: SQS may have deleted them.
    """
    if not letters:
        return []
    answer = sqs.delete_message_batch(
        QueueUrl=queue_url,
        Entries=[{"Id": str(n), "ReceiptHandle": letter.receipt_handle} for n, letter in enumerate(letters)],
    )
    return [Failure(letters[int(entry["Id"])].id, entry["Code"]) for entry in failed_entries(answer)]


def failed_entries(answer: Mapping[str, object]) -> Sequence[BatchResultErrorEntryTypeDef]:
    """The entries of a batch that SQS refused. Use their code only: the message may quote the reply."""
    return answer.get("Failed", [])  # type: ignore[return-value]  # each batch operation types its answer on its own


def parse_letter(message: MessageTypeDef) -> Letter:
    """The letter in an answer of ReceiveMessage."""
    system: Mapping[str, str] = message["Attributes"]  # type: ignore[assignment]  # its keys are literals
    return Letter(
        id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        body=message["Body"],
        attributes={name: _sendable(value) for name, value in message.get("MessageAttributes", {}).items()},
        sent_at=int(system["SentTimestamp"]) / 1000,
        system_attributes={name: system[name] for name in SYSTEM_ATTRIBUTES if name in system},
        was_moved="DeadLetterQueueSourceArn" in system,
    )


def printable_identifier(text: str | None) -> str | None:
    """The text if it is an identifier. Producers' texts may hold an address, or control a terminal."""
    return text if text and is_identifier(text) else None


def _sendable(value: MessageAttributeValueOutputTypeDef) -> MessageAttributeValueTypeDef:
    """An attribute without the empty lists of a received one, which SQS would refuse."""
    if "BinaryValue" in value:
        return {"DataType": value["DataType"], "BinaryValue": value["BinaryValue"]}
    return {"DataType": value["DataType"], "StringValue": value["StringValue"]}
