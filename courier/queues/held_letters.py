"""Lists a queue, which SQS cannot list: receives every letter, holds it meanwhile, and gives it back.

Receiving does a dead letter no harm: the dead-letter queue has no redrive policy, so SQS moves nothing away from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from botocore.exceptions import BotoCoreError, ClientError

from courier.interrupts import uninterrupted
from courier.queues import sending
from courier.queues.letter import SQS_SYSTEM_ATTRIBUTES, opened, received
from courier.queues.sending import MAX_ENTRIES, NotDone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

    from courier.payloads import Payloads
    from courier.queues.letter import Letter

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


class HeldLetters:
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
        except (BotoCoreError, ClientError) as refused:
            self._warn(
                f"Some letters could not be given back ({type(refused).__name__}): "
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

    def delete(self, letters: Sequence[Letter]) -> list[NotDone]:
        """Delete up to ten letters; return those that SQS did not delete, which are given back at the end.

        Raises:
            botocore.exceptions.ClientError, BotoCoreError: Whether it deleted them is not known.
        """
        kept = sending.delete(self.sqs, self._queue_url, letters)
        names = {each.name for each in kept}
        self.release(letter for letter in letters if letter.id not in names)
        return kept

    def release(self, letters: Iterable[Letter]) -> None:
        """Do not give these back: they are deleted, or stay hidden for longer."""
        self._held |= {letter.id: _Held(None, 0) for letter in letters}

    def not_seen(self) -> list[NotDone]:
        """What to tell of letters that a list does not hold."""
        if not self.unseen:
            return []
        name = "about 1 letter" if self.unseen == 1 else f"about {self.unseen} letters"
        return [NotDone(name, "held by somebody else now, or a moment ago: run it again")]

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
