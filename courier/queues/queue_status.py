"""The state of the two queues, read without receiving replies: each receive counts toward maxReceiveCount."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from courier.aws import NotOurStackError
from courier.queues.held_letters import HeldLetters
from courier.queues.letter import EXPIRING_SECONDS, printable_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mypy_boto3_sqs import SQSClient

    from courier.aws import Account
    from courier.mapping import Pause
    from courier.queues.sending import NotDone

METRIC_MINUTES = 15
"""SQS reports its metrics each minute, and some minutes late."""


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


@dataclass(frozen=True, slots=True)
class Letters:
    """The dead letters, read one by one.

    Attributes:
        reasons: How many for each reason.
        oldest_since: Since when the oldest waits, in seconds since the epoch; None if there is none.
        expiring: How many SQS deletes within EXPIRING_SECONDS.
        not_seen: What to tell of those that could not be read.
    """

    reasons: Counter[str]
    oldest_since: float | None
    expiring: int = 0
    not_seen: Sequence[NotDone] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """Both queues, what the dead letters themselves say, and whether sending is paused."""

    replies: QueueStatus
    dead_letters: QueueStatus
    letters: Letters
    paused: Pause | None = None

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
            "paused": None if self.paused is None else {"by": self.paused.by, "at": self.paused.at},
            "reasons": dict(self.letters.reasons.most_common()),
            "expiring": self.letters.expiring,
            "is_complete": not self.letters.not_seen,
        }


def status(account: Account, now: float, warn: Callable[[str], None], before: Status | None = None) -> Status:
    """Ask SQS and CloudWatch; read every dead letter, and give them back.

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
    replies = QueueStatus(*_counts(account.sqs, queues.replies), oldest=_oldest(account, queues.replies, warn))
    return Status(replies, QueueStatus(*dead, oldest=oldest), letters, _paused(account, warn))


def _paused(account: Account, warn: Callable[[str], None]) -> Pause | None:
    try:
        return account.mapping.paused if account.given_queues is None else None
    except NotOurStackError:
        return None  # the stack of an older version
    except (BotoCoreError, ClientError) as refused:
        warn(f"Whether sending is paused is not known: lambda:GetEventSourceMapping failed ({type(refused).__name__}).")
        return None


def _read(account: Account, now: float, warn: Callable[[str], None]) -> Letters:
    reasons: Counter[str] = Counter()
    oldest_since = math.inf
    expiring = 0
    with HeldLetters(account.sqs, account.queues.dead_letters, warn) as held:
        for letter in held:
            reasons[printable_identifier(letter.reason) or "(unreadable)"] += 1
            oldest_since = min(oldest_since, letter.sent_at)
            expiring += letter.expires_at - now < EXPIRING_SECONDS
    return Letters(reasons, None if oldest_since == math.inf else oldest_since, expiring, held.not_seen())


def in_flight(account: Account) -> int:
    """How many replies were received and are not done, those among them that wait for their backoff."""
    return _counts(account.sqs, account.queues.replies)[1]


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


def _oldest(account: Account, queue_url: str, warn: Callable[[str], None]) -> float | None:
    """SQS's own metric: the queue itself does not tell, and receiving would count."""
    end = datetime.now(UTC)
    try:
        points = account.cloudwatch.get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName="ApproximateAgeOfOldestMessage",
            Dimensions=[{"Name": "QueueName", "Value": queue_url.rpartition("/")[2]}],
            StartTime=end - timedelta(minutes=METRIC_MINUTES),
            EndTime=end,
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
    except (BotoCoreError, ClientError) as refused:
        warn(f"The oldest reply's age is not known: cloudwatch:GetMetricStatistics failed ({type(refused).__name__}).")
        return None
    return max(points, key=lambda point: point["Timestamp"])["Maximum"] if points else None
