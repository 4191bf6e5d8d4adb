"""The state of both queues. Replies are counted and not received: each receive counts toward maxReceiveCount."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from courier.dead_letters import EXPIRING_SECONDS
from courier.output import format_age, out, printable, warn
from courier.pause import SendingState, sending_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mypy_boto3_sqs import SQSClient

    from courier.aws import Account
    from courier.output import Failure

NEAR_LIMIT_SECONDS = 6 * 86_400
"""A letter that was first tried longer ago is close to the 7 days after which Connect may have forgotten its token."""
AGE_MINUTES = 15
"""SQS reports its metrics each minute, and some minutes late."""
SENT_MINUTES = 5
"""The minutes over which sent replies are counted, up to LATE_MINUTES ago."""
LATE_MINUTES = 1
"""CloudWatch usually has the function's metrics within this time. An incomplete minute would look slow."""


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """One queue.

    Attributes:
        waiting: Messages that can be received.
        in_flight: Messages that were received and are not deleted.
        delayed: Messages that cannot be received yet.
        oldest: The age of the oldest in seconds; None if the queue is empty, or the age is not known.
    """

    waiting: int
    in_flight: int
    delayed: int
    oldest: float | None = None

    @property
    def counts(self) -> tuple[int, int, int]:
        """The three counts."""
        return self.waiting, self.in_flight, self.delayed

    def to_json(self) -> dict[str, Any]:
        """As `status --json` writes it."""
        return {
            "waiting": self.waiting,
            "in_flight": self.in_flight,
            "delayed": self.delayed,
            "oldest_seconds": None if self.oldest is None else round(self.oldest),
        }


@dataclass(frozen=True, slots=True)
class LetterCounts:
    """The dead letters, read one by one.

    Attributes:
        reasons: How many for each reason.
        oldest_since: When the oldest arrived, in seconds since the epoch; None if there is none.
        expiring: How many SQS deletes within EXPIRING_SECONDS.
        near_7_days: How many were first tried more than NEAR_LIMIT_SECONDS ago.
        unseen: What to report of letters that could not be read.
    """

    reasons: Counter[str]
    oldest_since: float | None
    expiring: int
    near_7_days: int
    unseen: Sequence[Failure]


class QueueMetrics(NamedTuple):
    """What CloudWatch says; None if it says nothing.

    Attributes:
        oldest: The age of the oldest reply in seconds. SQS leaves out those received three times or more.
        sent: Replies sent in SENT_MINUTES.
    """

    oldest: float | None = None
    sent: float | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """Both queues, and how sending goes on.

    Attributes:
        replies: The queue of replies.
        dead_letters: The dead-letter queue.
        letters: What is on the dead-letter queue.
        sending: Whether replies are being sent.
        send_rate: The stack's sendRate, in replies a second; None if the stack does not say.
        sent: Replies sent in the last SENT_MINUTES; None if CloudWatch does not say.
        asked_at: When, in seconds since the epoch.
    """

    replies: QueueCounts
    dead_letters: QueueCounts
    letters: LetterCounts
    sending: SendingState
    send_rate: float | None
    sent: float | None
    asked_at: float

    @property
    def waiting(self) -> int:
        """All messages on the queue of replies."""
        return sum(self.replies.counts)

    @property
    def drain_seconds(self) -> float | None:
        """When the queue of replies will be empty at sendRate; None if it is paused, or sendRate is not known."""
        return None if self.send_rate is None or self.sending.is_off else self.waiting / self.send_rate

    @property
    def share_used(self) -> float | None:
        """The share of sendRate that was used, from 0 to 1."""
        if self.sent is None or self.send_rate is None:
            return None
        return self.sent / (60 * SENT_MINUTES * self.send_rate)

    def to_json(self) -> dict[str, Any]:
        """As `status --json` writes it."""
        drain_seconds, share = self.drain_seconds, self.share_used
        return {
            "replies": self.replies.to_json(),
            "dead_letters": self.dead_letters.to_json(),
            "reasons": dict(self.letters.reasons.most_common()),
            "expiring": self.letters.expiring,
            "near_7_days": self.letters.near_7_days,
            "is_complete": not self.letters.unseen,
            **self.sending.to_json(),
            "send_rate": self.send_rate,
            "gone_in_seconds": None if drain_seconds is None else round(drain_seconds),
            "share_used": None if share is None else round(share, 3),
        }


def read_status(account: Account, now: float, before: Status | None = None) -> Status:
    """Ask SQS, CloudWatch and Lambda, and read every dead letter. Warns of what CloudWatch or Lambda don't answer.

    Args:
        account: Where.
        now: Seconds since the epoch.
        before: The last status. While the counts are the same, the letters are not read again.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: SQS or CloudFormation did not answer.
    """
    queues = account.queues
    dead = _count(account.sqs, queues.dead_letters)
    letters = before.letters if before and before.dead_letters.counts == dead else _read_letters(account, now)
    # SQS's clock may be ahead of this one.
    oldest = None if letters.oldest_since is None else max(0.0, now - letters.oldest_since)
    metrics = _read_metrics(account, now)
    rate = account.known_output("SendRate")
    return Status(
        replies=QueueCounts(*_count(account.sqs, queues.replies), metrics.oldest),
        dead_letters=QueueCounts(*dead, oldest),
        letters=letters,
        sending=_read_sending(account),
        send_rate=float(rate) if rate else None,
        sent=metrics.sent,
        asked_at=now,
    )


def show_statuses(statuses: Iterable[Status], repeat_after: float | None = None) -> None:
    """Print each status, on a terminal in the place of the one before.

    Args:
        statuses: What to print.
        repeat_after: Seconds between two of them; None for a single one.
    """
    if not out.is_terminal or repeat_after is None:
        for status in statuses:
            for part in _page(status):
                out.print(part, soft_wrap=isinstance(part, Text) and not out.is_terminal)
        return
    with Live(console=out, auto_refresh=False) as live:
        for status in statuses:
            at = time.strftime("%H:%M:%S", time.localtime(status.asked_at))
            note = Text(f"As of {at}, updated every {repeat_after:g} s. Press Ctrl-C to end.", style="dim")
            live.update(Group(*_page(status), note), refresh=True)


def _read_letters(account: Account, now: float) -> LetterCounts:
    reasons: Counter[str] = Counter()
    oldest_since = math.inf
    expiring = near_7_days = 0
    with account.dead_letters() as reader:
        for letter in reader:
            reasons[letter.printable_reason] += 1
            oldest_since = min(oldest_since, letter.sent_at)
            expiring += letter.expires_at - now < EXPIRING_SECONDS
            tried = letter.first_tried_at
            near_7_days += tried is not None and now - tried > NEAR_LIMIT_SECONDS
    oldest = None if oldest_since == math.inf else oldest_since
    return LetterCounts(reasons, oldest, expiring, near_7_days, reader.unseen_failures())


def _read_metrics(account: Account, now: float) -> QueueMetrics:
    """Ask CloudWatch: SQS itself does not say how old a message is, and receiving one would count."""
    end = datetime.fromtimestamp(now, UTC)
    minute = end.replace(second=0, microsecond=0) - timedelta(minutes=LATE_MINUTES)
    queue = account.queues.replies.rpartition("/")[2]
    try:
        ages = account.cloudwatch.get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName="ApproximateAgeOfOldestMessage",
            Dimensions=[{"Name": "QueueName", "Value": queue}],
            StartTime=end - timedelta(minutes=AGE_MINUTES),
            EndTime=end,
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
        sent = account.cloudwatch.get_metric_statistics(
            Namespace="ReplyCourier",
            MetricName="RepliesSent",
            Dimensions=[{"Name": "service", "Value": account.stack}],
            StartTime=minute - timedelta(minutes=SENT_MINUTES),
            EndTime=minute,
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
    except (BotoCoreError, ClientError) as error:
        why = f"cloudwatch:GetMetricStatistics failed ({type(error).__name__})"
        warn(f"The age of the oldest reply and the number of sent replies are not known: {why}.")
        return QueueMetrics()
    oldest = max(ages, key=lambda point: point["Timestamp"])["Maximum"] if ages else None
    # The function counts no zeros, so no data means that nothing was sent.
    return QueueMetrics(oldest, sum(point["Sum"] for point in sent))


def _read_sending(account: Account) -> SendingState:
    """Whether sending is paused; not known without a stack, or with an older one."""
    if not account.known_output("MappingId"):
        return SendingState()
    try:
        return sending_state(account)
    except (BotoCoreError, ClientError) as error:
        operation = getattr(error, "operation_name", "the call")
        warn(f"Whether sending is paused is not known: {operation} failed ({type(error).__name__}).")
        return SendingState()


def _count(sqs: SQSClient, queue_url: str) -> tuple[int, int, int]:
    """The messages that wait, are in flight, and are delayed."""
    attributes = sqs.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )["Attributes"]
    return (
        int(attributes["ApproximateNumberOfMessages"]),
        int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        int(attributes["ApproximateNumberOfMessagesDelayed"]),
    )


def _page(status: Status) -> Iterator[Table | Text]:
    """Whether sending is paused, both queues with the dead letters by reason, and how sending goes on."""
    if status.sending.is_off:
        by, at = status.sending.paused_by, status.sending.paused_at
        who = f"by {printable(by)} since {at}" if by else "but not by courier"
        text = f"PAUSED {who}: nothing is sent. To send what waits: courier resume"
        yield Text(text, style="bold red")
    yield _table(status)
    if status.waiting and status.drain_seconds is not None:
        age = format_age(status.drain_seconds)
        yield Text(f"The queue is empty in about {age} at {status.send_rate:g} a second, if Connect accepts them.")
    if status.share_used is not None:
        sent = f"{status.sent:,.0f}, {status.share_used:.0%} of sendRate"
        yield Text(f"Sent in the last {SENT_MINUTES} minutes: {sent} (counted up to 2 minutes late).")
    if status.waiting and status.sent == 0 and not status.sending.is_off:
        yield Text("If nothing is sent for longer: courier doctor", style="yellow")


def _table(status: Status) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("QUEUE", "WAITING", "IN FLIGHT", "DELAYED", "OLDEST"):
        table.add_column(name, justify="left" if name == "QUEUE" else "right", no_wrap=True)
    for name, queue in (("replies", status.replies), ("dead letters", status.dead_letters)):
        counts = (str(count) for count in queue.counts)
        table.add_row(name, *counts, "-" if queue.oldest is None else format_age(queue.oldest))
    letters = status.letters
    for reason, count in letters.reasons.most_common():
        table.add_row(f"  {reason}", str(count))
    if letters.near_7_days:
        table.add_row("  first tried 6 days ago or more", str(letters.near_7_days), style="red")
    if letters.expiring:
        table.add_row("  deleted by SQS within 3 days (dlq renew)", str(letters.expiring), style="red")
    return table
