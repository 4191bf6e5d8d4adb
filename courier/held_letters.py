"""Lists a queue that cannot be listed: receives every letter, holds it meanwhile, and gives it back.

Nothing here counts towards a letter's death: the dead-letter queue has no redrive policy of its own, so that SQS
moves nothing away from it, however often it is received.
"""

from __future__ import annotations

import itertools
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Self

from botocore.exceptions import BotoCoreError, ClientError

from courier.letters import received

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from mypy_boto3_sqs import SQSClient

    from courier.letters import Letter

BATCH = 10
"""Messages of one call (Amazon SQS quotas)."""
SLOWEST = 100
"""Letters a second that are received at the least, where nothing paces it."""
MAX_VISIBILITY = 43_200
"""Seconds (Amazon SQS quotas)."""
WAIT_SECONDS = 2
"""A receive that waits asks all of SQS's servers, one that does not a few of them: it can miss letters."""
NOTHING_NEW = 10
"""Receives in a row with seen letters only, after which the end is reached: the first ones are visible again."""
GIVERS = 4


class Holding:
    """The letters of a queue, received and held while this is entered; what is left is given back at the end.

    Threads may share it. Its memory does not grow with the queue: ids and receipt handles are in a temporary file.

    Args:
        sqs: The client.
        queue_url: The dead-letter queue.
        say: Is told what a person has to know.
        rate: Letters a second, if the work on them is paced: the slower, the longer they have to be held.
    """

    def __init__(self, sqs: SQSClient, queue_url: str, say: Callable[[str], None], rate: float | None = None) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._say = say
        self._rate = rate
        self._lock = Lock()
        self._seen = 0
        self._on_their_way = 0
        self._in_vain = 0
        self._ended = False

    def __enter__(self) -> Self:
        self.depth = self._depth()
        self.seconds = hold_seconds(self.depth, self._rate)
        # An empty name: a file that SQLite makes, and removes whatever happens to this program.
        self._held = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._held.execute("CREATE TABLE held (id TEXT PRIMARY KEY, handle TEXT) WITHOUT ROWID")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._give_back()
        except (BotoCoreError, ClientError) as refused:
            self._say(f"Some letters could not be given back ({type(refused).__name__}): "
                      f"they show again within {self.seconds} s.")  # fmt: skip
        finally:
            self._held.close()

    def __iter__(self) -> Iterator[Letter]:
        """Every letter once."""
        # In a thread, so that Ctrl-C cannot strike between SQS's answer and our note of it: it would not be given back.
        with ThreadPoolExecutor(1) as receiver:
            while (letters := receiver.submit(self.receive).result()) is not None:
                yield from letters

    def receive(self, most: int = BATCH) -> list[Letter] | None:
        """Letters that were not seen before: none to `most`; None when there are no more for this thread."""
        if self._ended:
            return None
        with self._lock:
            # Letters on their way to another thread are as good as seen: nobody waits for those.
            waits = self._seen + self._on_their_way < self.depth
            self._on_their_way += most
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=most,
            VisibilityTimeout=self.seconds,
            WaitTimeSeconds=WAIT_SECONDS if waits else 0,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        letters = [received(message) for message in answer.get("Messages", [])]
        with self._lock:
            new = [letter for letter in letters if self._hold(letter)]
            self._on_their_way -= most
            self._seen += len(new)
            self._in_vain = self._in_vain + 1 if letters and not new else 0
            if self._in_vain >= NOTHING_NEW or (not letters and (waits or self._seen >= self.depth)):
                self._ended = True
            # Nothing came because others have it: they go on, and the last of them waits for what is left.
            leaves = not letters and self._on_their_way > 0
        return None if not new and (self._ended or leaves) else new

    def release(self, letters: Sequence[Letter]) -> None:
        """These are not to be given back: they are deleted."""
        with self._lock:
            self._held.executemany("UPDATE held SET handle = NULL WHERE id = ?", [(letter.id,) for letter in letters])

    def _hold(self, letter: Letter) -> bool:
        """Keep what the letter is given back with; return whether it was not seen before."""
        known = self._held.execute("SELECT 1 FROM held WHERE id = ?", (letter.id,)).fetchone()
        self._held.execute("REPLACE INTO held VALUES (?, ?)", (letter.id, letter.receipt_handle))
        return known is None

    def _give_back(self) -> None:
        handles = (handle for (handle,) in self._held.execute("SELECT handle FROM held WHERE handle IS NOT NULL"))
        with ThreadPoolExecutor(GIVERS) as pool:
            # A few batches at a time, so that another Ctrl-C need not wait for all of them.
            while few := list(itertools.islice(handles, GIVERS * BATCH)):
                list(pool.map(self._show_again, [few[n : n + BATCH] for n in range(0, len(few), BATCH)]))

    def _show_again(self, handles: Sequence[str]) -> None:
        """An entry that SQS refuses was held no more: its time was over."""
        self._sqs.change_message_visibility_batch(
            QueueUrl=self._queue_url,
            Entries=[
                {"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": 0} for n, handle in enumerate(handles)
            ],
        )

    def _depth(self) -> int:
        asked = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(asked["Attributes"]["ApproximateNumberOfMessages"])


def hold_seconds(depth: int, rate: float | None) -> int:
    """How long a letter is held: until all of them are worked through, and a minute. Killed, it comes back then."""
    return min(MAX_VISIBILITY, 60 + round(depth / min(rate or SLOWEST, SLOWEST)))
