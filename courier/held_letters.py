"""Lists a queue, which SQS cannot list: receives every letter, holds it meanwhile, and gives it back.

Receiving does a dead letter no harm: the dead-letter queue has no redrive policy, so SQS moves nothing away from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from botocore.exceptions import BotoCoreError, ClientError

from courier import sending
from courier.interrupts import uninterrupted
from courier.letters import received

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

    from mypy_boto3_sqs import SQSClient

    from courier.letters import Letter
    from courier.sending import NotDone

BATCH = 10
"""Messages of one call (Amazon SQS quotas)."""
SLOWEST = 100
"""Letters a second that are received at the least, where no rate is given."""
MAX_VISIBILITY = 43_200
"""Seconds (Amazon SQS quotas)."""
WAIT_SECONDS = 1
"""A receive that waits asks all of SQS's servers, so an empty one is the end of the list. One that does not wait asks a
few of them and can miss letters; the queue's count lags, so it cannot say when all are seen."""
ONLY_SEEN = 10
"""Receives in a row of only letters seen before, after which the end is reached: the first are visible again."""


class HeldLetters:
    """The letters of a queue, received and held while this is entered; those not released are given back at the end.

    Their ids and receipt handles are in memory: SQS lets at most 120,000 messages of a queue be in flight.

    Args:
        sqs: The client.
        queue_url: The dead-letter queue.
        warn: Is told what a person has to know.
        rate: Letters a second, if the work on them is paced: the slower, the longer they have to be held.
    """

    def __init__(self, sqs: SQSClient, queue_url: str, warn: Callable[[str], None], rate: float | None = None) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._warn = warn
        self._rate = rate
        self._receipt_handles: dict[str, str | None] = {}

    def __enter__(self) -> Self:
        self.depth = self._depth()
        self.seconds = hold_seconds(self.depth, self._rate)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
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

    def batches(self, most: int = BATCH) -> Iterator[list[Letter]]:
        """Every letter once, as many in a batch as one receive finds, `most` at the most."""
        only_seen = 0
        while only_seen < ONLY_SEEN:
            with uninterrupted():  # what was received has to be noted, or it could not be given back
                letters = self._receive(most)
                new = [letter for letter in letters if letter.id not in self._receipt_handles]
                # The newest receipt handle is the one that counts (SQS developer guide, message identifiers).
                self._receipt_handles |= {letter.id: letter.receipt_handle for letter in letters}
            if not letters:
                return
            only_seen = 0 if new else only_seen + 1
            if new:
                yield list({letter.id: letter for letter in new}.values())

    def delete(self, letters: Sequence[Letter]) -> list[NotDone]:
        """Delete up to ten letters; return those that SQS did not delete, which are given back at the end.

        Raises:
            botocore.exceptions.ClientError, BotoCoreError: Whether it deleted them is not known.
        """
        kept = sending.delete(self._sqs, self._queue_url, letters)
        names = {each.name for each in kept}
        self.release(letter for letter in letters if letter.id not in names)
        return kept

    def release(self, letters: Iterable[Letter]) -> None:
        """Do not give these back: they are deleted, or stay hidden for longer."""
        self._receipt_handles |= dict.fromkeys(letter.id for letter in letters)

    def _receive(self, most: int) -> list[Letter]:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=most,
            VisibilityTimeout=self.seconds,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        return [received(message) for message in answer.get("Messages", [])]

    def _give_back(self) -> None:
        handles = [handle for handle in self._receipt_handles.values() if handle is not None]
        for batch in (handles[first : first + BATCH] for first in range(0, len(handles), BATCH)):
            # An entry that SQS refuses was not held any more: its time was over.
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": 0} for n, handle in enumerate(batch)
                ],
            )

    def _depth(self) -> int:
        asked = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(asked["Attributes"]["ApproximateNumberOfMessages"])


def hold_seconds(depth: int, rate: float | None) -> int:
    """How long a letter is held: until all are worked through, and a minute. If courier is killed, it shows then."""
    return min(MAX_VISIBILITY, 60 + round(depth / min(rate or SLOWEST, SLOWEST)))
