"""The state of the two queues, read without receiving replies: each receive counts toward maxReceiveCount."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from courier.mapping import Sending, sending_now
from courier.queues.held_letters import HeldLetters
from courier.queues.letter import EXPIRING_SECONDS, printable_identifier
from courier.queues.metrics import measured
from courier.queues.outlook import Outlook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mypy_boto3_sqs import SQSClient

    from courier.aws import Account
    from courier.queues.sending import NotDone

NEAR_SECONDS = 6 * 86_400
"""A letter that was first tried so long ago is near the 7 days after which Connect may have forgotten its token."""


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """One queue.

    Attributes:
        waiting: Messages that can be received.
        in_flight: Messages that were received and are not done.
        delayed: Messages that cannot be received yet.
        oldest: Age of the oldest in seconds; None if there is none, or it is not known.
    """

    waiting: int
    in_flight: int
    delayed: int
    oldest: float | None

    @property
    def all(self) -> int:
        """All that are on it."""
        return self.waiting + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True)
class Letters:
    """The dead letters, read one by one.

    Attributes:
        reasons: How many for each reason.
        oldest_since: Since when the oldest waits, in seconds since the epoch; None if there is none.
        expiring: How many SQS deletes within EXPIRING_SECONDS.
        near_7_days: How many were first tried more than NEAR_SECONDS ago.
        not_seen: What to tell of those that could not be read.
    """

    reasons: Counter[str]
    oldest_since: float | None
    expiring: int = 0
    near_7_days: int = 0
    not_seen: Sequence[NotDone] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """Both queues, what the dead letters themselves say, and how sending goes on.

    Attributes:
        replies: The queue of replies.
        dead_letters: The dead-letter queue.
        letters: What is on it.
        outlook: Whether sending goes on, how fast, and until when.
        asked_at: When, in seconds since the epoch.
    """

    replies: QueueStatus
    dead_letters: QueueStatus
    letters: Letters
    outlook: Outlook
    asked_at: float

    @property
    def dead_counts(self) -> tuple[int, int, int]:
        """The dead letters' counts."""
        return self.dead_letters.waiting, self.dead_letters.in_flight, self.dead_letters.delayed

    def to_json(self) -> dict[str, Any]:
        """As `status --json` writes it."""
        return {
            name: {
                "waiting": queue.waiting,
                "in_flight": queue.in_flight,
                "delayed": queue.delayed,
                "oldest_seconds": None if queue.oldest is None else round(queue.oldest),
            }
            for name, queue in (("replies", self.replies), ("dead_letters", self.dead_letters))
        } | {
            "reasons": dict(self.letters.reasons.most_common()),
            "expiring": self.letters.expiring,
            "near_7_days": self.letters.near_7_days,
            "is_complete": not self.letters.not_seen,
            **self.outlook.to_json(self.replies.all),
        }


def status(account: Account, now: float, warn: Callable[[str], None], before: Status | None = None) -> Status:
    """Ask SQS, CloudWatch and Lambda; read every dead letter, and give them back.

    Args:
        account: Where.
        now: Seconds since the epoch.
        warn: Is told what a person has to know.
        before: The last status: while the counts are the same, the letters are not read again.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: SQS does not tell.
    """
    queues = account.queues
    dead = _counts(account.sqs, queues.dead_letters)
    letters = before.letters if before and before.dead_counts == dead else _read(account, now, warn)
    oldest = None if letters.oldest_since is None else max(0.0, now - letters.oldest_since)  # SQS's clock may be ahead
    metrics = measured(account, now, warn)
    replies = QueueStatus(*_counts(account.sqs, queues.replies), oldest=metrics.oldest)
    rate = account.known_output("SendRate")
    outlook = Outlook(_sending(account, warn), float(rate) if rate else None, metrics.sent)
    return Status(replies, QueueStatus(*dead, oldest=oldest), letters, outlook, now)


def _read(account: Account, now: float, warn: Callable[[str], None]) -> Letters:
    reasons: Counter[str] = Counter()
    oldest_since = math.inf
    expiring = near_7_days = 0
    with HeldLetters(account.sqs, account.queues.dead_letters, warn) as held:
        for letter in held:
            reasons[printable_identifier(letter.reason) or "(unreadable)"] += 1
            oldest_since = min(oldest_since, letter.sent_at)
            expiring += letter.expires_at - now < EXPIRING_SECONDS
            tried = letter.first_tried_at
            near_7_days += tried is not None and now - tried > NEAR_SECONDS
    oldest = None if oldest_since == math.inf else oldest_since
    return Letters(reasons, oldest, expiring, near_7_days, held.not_seen())


def _sending(account: Account, warn: Callable[[str], None]) -> Sending:
    """Whether it is paused; not known for queues that no stack has, and for an old stack."""
    if not account.known_output("MappingId"):
        return Sending()
    try:
        return sending_now(account)
    except (BotoCoreError, ClientError) as refused:
        operation = getattr(refused, "operation_name", "the call")
        warn(f"Whether sending is paused is not known: {operation} failed ({type(refused).__name__}).")
        return Sending()


def _counts(sqs: SQSClient, queue_url: str) -> tuple[int, int, int]:
    asked = sqs.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )["Attributes"]
    return (
        int(asked["ApproximateNumberOfMessages"]),
        int(asked["ApproximateNumberOfMessagesNotVisible"]),
        int(asked["ApproximateNumberOfMessagesDelayed"]),
    )
