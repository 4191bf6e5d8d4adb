"""Lists a queue, which SQS cannot list: receives every letter, holds it meanwhile, and gives it back.

Receiving does a dead letter no harm: the dead-letter queue has no redrive policy, so SQS moves nothing away from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, Self

from botocore.exceptions import BotoCoreError, ClientError

from contract.client_token import ClientTokenError, client_token
from contract.dead_letter import DETAIL, REASON
from contract.identifier import is_identifier
from contract.message_attributes import SYSTEM_ATTRIBUTES, text_of
from contract.reply import contact_of
from contract.token_age import first_tried_at, may_be_forgotten
from courier.interrupts import uninterrupted
from courier.output import Failure
from courier.payloads import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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

MAX_ENTRIES = 10
"""Messages of one call; all of them together may have the size of one, MAX_BYTES (Amazon SQS quotas)."""
SLOWEST = 100
"""Letters a second that are received at the least, where no rate is given; a slower list holds them longer."""


MAX_VISIBILITY = 43_200
"""Seconds (Amazon SQS quotas)."""


WAIT_SECONDS = 1
"""A receive that waits asks all of SQS's servers, so an empty one is the end of the list. One that does not wait asks a
few of them and can miss letters; the queue's count lags, so it cannot say when all are seen."""


IN_FLIGHT: QueueAttributeNameType = "ApproximateNumberOfMessagesNotVisible"


ONLY_SEEN = 100
"""Receives in a row of only letters seen before, and as many more as are held, after which a list gives up: somebody
gives them back all the time."""


class _Held(NamedTuple):
    """A letter that was received.

    Attributes:
        receipt_handle: Of its newest receive; None if it is not to be given back.
        seconds: For how long that receive has hidden it.
    """

    receipt_handle: str | None
    seconds: int


class DeadLetterReader:
    """The letters of a queue, received and held while this is entered; those not released are given back at the end.

    Their ids and receipt handles are in memory: SQS lets at most 120,000 messages of a queue be in flight.

    Args:
        sqs: The client; also an attribute.
        queue_url: The dead-letter queue.
        warn: Is told what a person has to know.
        rate: Letters a second, if the work on them is paced: the slower, the longer they have to be held.
        payloads: The bodies in S3; also an attribute.
        read_payloads: Whether all letters are to hold their bodies in S3 as well.

    Attributes:
        unseen: After the end of a list: how many letters it does not hold, since somebody else holds them. A list with
            such letters is not complete.
    """

    unseen = 0

    def __init__(  # noqa: PLR0913 - the last two by name
        self,
        sqs: SQSClient,
        queue_url: str,
        warn: Callable[[str], None],
        rate: float | None = None,
        *,
        payloads: Payloads | None = None,
        read_payloads: bool = False,
    ) -> None:
        self.sqs = sqs
        self._queue_url = queue_url
        self._warn = warn
        self._rate = rate
        self.payloads = payloads
        self._read_payloads = read_payloads
        self._held: dict[str, _Held] = {}

    def __enter__(self) -> Self:
        self.depth = self._count("ApproximateNumberOfMessages")
        self._held_elsewhere_before = self._count(IN_FLIGHT) > 0
        self.seconds = hold_seconds(self.depth, self._rate)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with uninterrupted():  # also by a second Ctrl-C: what is not given back stays hidden
                self._give_back()
        except (BotoCoreError, ClientError) as not_released:
            self._warn(
                f"Some letters could not be given back ({type(not_released).__name__}): "
                f"they show again within {self.seconds} s."
            )

    def __iter__(self) -> Iterator[Letter]:
        """Every letter once."""
        for letters in self.batches():
            yield from letters

    def batches(self, most: int = MAX_ENTRIES) -> Iterator[list[Letter]]:
        """Every letter once, as many in a batch as one receive finds, `most` at the most."""
        only_seen = 0
        while only_seen < ONLY_SEEN + len(self._held):
            with uninterrupted():  # what was received has to be noted, or it could not be given back
                letters = self._receive(most)
                new = [letter for letter in letters if letter.id not in self._held]
                seen = [self._held[letter.id].seconds for letter in letters if letter.id in self._held]
                # The newest receipt handle is the one that counts (SQS developer guide, message identifiers).
                self._held |= {letter.id: _Held(letter.receipt_handle, self.seconds) for letter in letters}
            if not letters:
                break
            # The time of those was over: from now on letters are held for twice as long, or the list would never end.
            self.seconds = min(MAX_VISIBILITY, max([self.seconds, *(2 * seconds for seconds in seen)]))
            only_seen = 0 if new else only_seen + 1
            if new:
                letters = list({letter.id: letter for letter in new}.values())
                yield [self.opened(letter) for letter in letters] if self._read_payloads else letters
        else:
            self.unseen = 1
        self.unseen += self._in_flight_elsewhere()

    def delete(self, letters: Sequence[Letter]) -> list[Failure]:
        """Delete up to ten letters; return those that SQS did not delete, which are given back at the end.

        Raises:
            botocore.exceptions.ClientError, BotoCoreError: Whether it deleted them is not known.
        """
        kept = delete(self.sqs, self._queue_url, letters)
        names = {each.name for each in kept}
        self.release(letter for letter in letters if letter.id not in names)
        return kept

    def release(self, letters: Iterable[Letter]) -> None:
        """Do not give these back: they are deleted, or stay hidden for longer."""
        self._held |= {letter.id: _Held(None, 0) for letter in letters}

    def not_seen(self) -> list[Failure]:
        """What to tell of letters that a list does not hold."""
        if not self.unseen:
            return []
        name = "about 1 letter" if self.unseen == 1 else f"about {self.unseen} letters"
        return [Failure(name, "held by somebody else now, or a moment ago: run it again")]

    def opened(self, letter: Letter) -> Letter:
        """The letter with its body, if that is in S3."""
        return opened(letter, self.payloads, self._warn)

    def _receive(self, most: int) -> list[Letter]:
        answer = self.sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=most,
            VisibilityTimeout=self.seconds,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=SQS_SYSTEM_ATTRIBUTES,
        )
        return [received(message) for message in answer.get("Messages", [])]

    def _give_back(self) -> None:
        handles = [each.receipt_handle for each in self._held.values() if each.receipt_handle is not None]
        for batch in (handles[first : first + MAX_ENTRIES] for first in range(0, len(handles), MAX_ENTRIES)):
            # An entry that SQS refuses was not held any more: its time was over.
            self.sqs.change_message_visibility_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": 0} for n, handle in enumerate(batch)
                ],
            )

    def _in_flight_elsewhere(self) -> int:
        """How many letters are in flight, less those that this list holds.

        The count lags, so what was deleted here may be in it still; it is only taken for another's letter if somebody
        held some before.
        """
        held = [each for each in self._held.values() if each.receipt_handle or not self._held_elsewhere_before]
        return max(0, self._count(IN_FLIGHT) - len(held))

    def _count(self, name: QueueAttributeNameType) -> int:
        asked = self.sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=[name])
        return int(asked["Attributes"][name])


def hold_seconds(depth: int, rate: float | None) -> int:
    """How long a letter is held: until all are worked through, and a minute. If courier is killed, it shows then."""
    return min(MAX_VISIBILITY, 60 + round(depth / min(rate or SLOWEST, SLOWEST)))


MOVED_BY_SQS = "MovedBySqs"
"""Stands for the reason of a letter without one: SQS moved it itself, after more receives than the queue allows."""


SQS_SYSTEM_ATTRIBUTES: Sequence[MessageSystemAttributeNameType] = (
    "SentTimestamp",
    "DeadLetterQueueSourceArn",
    *SYSTEM_ATTRIBUTES,
)
"""What a receive has to ask for."""


RETENTION_SECONDS = 14 * 86_400
"""How long the dead-letter queue keeps a letter, from its SentTimestamp."""


EXPIRING_SECONDS = 3 * 86_400
"""A letter that SQS deletes within this time is near its end."""


DRAFT_SECONDS = 12 * 3_600
"""How long a draft lives in Connect by default."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, as it was received.

    Attributes:
        id: The SQS message id.
        receipt_handle: Names this one receive.
        body: The reply, as its producer wrote it, or a pointer to it.
        attributes: Its message attributes, in the form in which they are sent again.
        sent_at: SQS's SentTimestamp, in seconds since the epoch: when it came. For a letter that SQS moved itself it is
            the time at which the producer sent it.
        system_attributes: The system attributes that it keeps wherever it goes, by name.
        was_moved: Whether SQS says that it has moved the letter itself.
        payload: The reply, if the body only points to it and it has been read.
        payload_unavailable: Whether it could not be read now, and may be later.
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
        """The reply itself, as far as it is known: what the body points to, or else the body."""
        return self.body if self.payload is None else self.payload

    @property
    def reason(self) -> str:
        """The function's reason, or MOVED_BY_SQS."""
        return MOVED_BY_SQS if self.was_moved else self.text(REASON) or MOVED_BY_SQS

    @property
    def token(self) -> str | None:
        """Its client token: the attribute, or else the message id; None if the attribute cannot be used as one."""
        try:
            return client_token(self.id, self.attributes)
        except ClientTokenError:
            return None

    @property
    def contact_id(self) -> str | None:
        """The contact that the reply is for; None if the body does not say."""
        return contact_of(self.reply)

    @property
    def first_tried_at(self) -> float | None:
        """When Connect may first have been asked, in seconds since the epoch; None if it was not.

        Minus infinity where the letter says it in a form that cannot be read. A letter that SQS moved may have been
        tried since it was sent.
        """
        tried = first_tried_at(self.attributes, self.sent_at)
        return self.sent_at if tried is None and self.reason == MOVED_BY_SQS else tried

    @property
    def expires_at(self) -> float:
        """When SQS deletes it, in seconds since the epoch."""
        return self.sent_at + RETENTION_SECONDS

    def text(self, name: str) -> str:
        """An attribute of type String, or an empty text."""
        return text_of(self.attributes, name) or ""

    def token_expired(self, now: float) -> bool:
        """Whether Connect may have forgotten the token, so that a reply that was sent would be sent again."""
        return may_be_forgotten(self.first_tried_at, now)


def without_stale_reason(
    attributes: Mapping[str, MessageAttributeValueTypeDef],
) -> dict[str, MessageAttributeValueTypeDef]:
    """The attributes of a letter that SQS moved itself, less the reason that an earlier life may have left there."""
    return {name: value for name, value in attributes.items() if name not in {REASON, DETAIL}}


def received(message: MessageTypeDef) -> Letter:
    """The letter in an answer of ReceiveMessage (with all attributes, and SQS_SYSTEM_ATTRIBUTES)."""
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


def opened(letter: Letter, payloads: Payloads | None, warn: Callable[[str], None]) -> Letter:
    """The letter with its body, if that is in S3; `warn` is told why it cannot be had."""
    if payloads is None:
        return letter
    try:
        return replace(letter, payload=payloads.text(letter.body, letter.attributes))
    except UnreadableError as error:
        warn(f"{letter.id}: its body in S3 {error}.")
        return replace(letter, payload_unavailable=not error.is_final)


def printable_identifier(text: str | None) -> str | None:
    """The text, if it is a mere identifier. What a producer made up may hold an address, or control a terminal."""
    return text if text and is_identifier(text) else None


def _sendable(value: MessageAttributeValueOutputTypeDef) -> MessageAttributeValueTypeDef:
    if "BinaryValue" in value:
        return {"DataType": value["DataType"], "BinaryValue": value["BinaryValue"]}
    return {"DataType": value["DataType"], "StringValue": value["StringValue"]}


def delete(sqs: SQSClient, queue_url: str, letters: Sequence[Letter]) -> list[Failure]:
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
    return [Failure(letters[int(failed["Id"])].id, _why(failed)) for failed in _failed(answer)]


def _failed(answer: Mapping[str, object]) -> Sequence[BatchResultErrorEntryTypeDef]:
    # The key is missing where nothing failed.
    return answer.get("Failed", [])  # type: ignore[return-value]  # as the answers of both calls are typed


def _why(failed: BatchResultErrorEntryTypeDef) -> str:
    """The code alone: the message may quote what it refuses."""
    return failed["Code"]
