"""The state of the two queues, read without receiving replies: each receive counts toward maxReceiveCount."""

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

from courier.dead_letters import EXPIRING_SECONDS, DeadLetterReader, printable_identifier
from courier.output import format_age, out, printable
from courier.pause import Sending, sending_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mypy_boto3_sqs import SQSClient

    from courier.aws import Account
    from courier.output import Failure

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
    not_seen: Sequence[Failure] = ()


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
    metrics = read_metrics(account, now, warn)
    replies = QueueStatus(*_counts(account.sqs, queues.replies), oldest=metrics.oldest)
    rate = account.known_output("SendRate")
    outlook = Outlook(_sending(account, warn), float(rate) if rate else None, metrics.sent)
    return Status(replies, QueueStatus(*dead, oldest=oldest), letters, outlook, now)


def _read(account: Account, now: float, warn: Callable[[str], None]) -> Letters:
    reasons: Counter[str] = Counter()
    oldest_since = math.inf
    expiring = near_7_days = 0
    with DeadLetterReader(account.sqs, account.queues.dead_letters, warn) as held:
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
        return sending_state(account)
    except (BotoCoreError, ClientError) as error:
        operation = getattr(error, "operation_name", "the call")
        warn(f"Whether sending is paused is not known: {operation} failed ({type(error).__name__}).")
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


AGE_MINUTES = 15
"""SQS reports its metrics each minute, and some minutes late."""


SENT_MINUTES = 5
"""Over so many minutes sent replies are counted, up to LATE_MINUTES ago."""


LATE_MINUTES = 1
"""CloudWatch makes metrics of the function's log within this time, as a rule; a minute without all of them would look
slower than it was."""


class QueueMetrics(NamedTuple):
    """What CloudWatch says; None where it says nothing.

    Attributes:
        oldest: Age of the oldest reply, in seconds. SQS leaves out those received three times or more.
        sent: Replies sent in SENT_MINUTES.
    """

    oldest: float | None = None
    sent: float | None = None


def read_metrics(account: Account, now: float, warn: Callable[[str], None]) -> QueueMetrics:
    """Ask CloudWatch, since the queue itself does not tell, and receiving would count.

    Args:
        account: Where.
        now: Seconds since the epoch.
        warn: Is told if CloudWatch does not answer.
    """
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
        failed = f"cloudwatch:GetMetricStatistics failed ({type(error).__name__})"
        warn(f"The oldest reply's age, and how many were sent, are not known: {failed}.")
        return QueueMetrics()
    oldest = max(ages, key=lambda point: point["Timestamp"])["Maximum"] if ages else None
    # Where the function sent nothing it counts nothing: CloudWatch has no zeros of it.
    return QueueMetrics(oldest, sum(point["Sum"] for point in sent))


@dataclass(frozen=True, slots=True)
class Outlook:
    """How sending goes on.

    Attributes:
        sending: Whether replies are being sent.
        send_rate: Replies a second, as the stack is set; None if it does not say.
        sent: Replies sent in the last minutes (SENT_MINUTES); None if CloudWatch does not tell.
    """

    sending: Sending
    send_rate: float | None
    sent: float | None

    def drain_seconds(self, replies: int) -> float | None:
        """Seconds until so many replies are gone if they leave at sendRate; None if nobody knows, or it is paused."""
        return None if self.send_rate is None or self.sending.is_off else replies / self.send_rate

    @property
    def share_used(self) -> float | None:
        """How much of sendRate was used, of 1."""
        if self.sent is None or self.send_rate is None:
            return None
        return self.sent / (60 * SENT_MINUTES * self.send_rate)

    def to_json(self, replies: int) -> dict[str, Any]:
        """As `status --json` writes it, for so many replies that wait."""
        drain_seconds, share = self.drain_seconds(replies), self.share_used
        return {
            **self.sending.to_json(),
            "send_rate": self.send_rate,
            "gone_in_seconds": None if drain_seconds is None else round(drain_seconds),
            "share_used": None if share is None else round(share, 3),
        }


def show_statuses(statuses: Iterable[Status], again_after: float | None = None) -> None:
    """Show each status in the place of the one before; off a terminal, one after the other.

    Args:
        statuses: What to show.
        again_after: Seconds between two of them; None for a single one.
    """
    if not out.is_terminal or again_after is None:
        for status in statuses:
            for part in _page(status):
                out.print(part, soft_wrap=isinstance(part, Text) and not out.is_terminal)
        return
    with Live(console=out, auto_refresh=False) as live:
        for status in statuses:
            asked = time.strftime("%H:%M:%S", time.localtime(status.asked_at))
            note = Text(f"Asked at {asked}, and again every {again_after:g} s. Ctrl-C ends it.", style="dim")
            live.update(Group(*_page(status), note), refresh=True)


def _page(status: Status) -> Iterator[Table | Text]:
    """Whether it is paused, both queues with the dead letters by their reasons, and how it goes on."""
    yield from _pause_notice(status)
    yield _table(status)
    outlook, waiting = status.outlook, status.replies.all
    drain_seconds, share = outlook.drain_seconds(waiting), outlook.share_used
    if waiting and drain_seconds is not None:
        age = format_age(drain_seconds)
        yield Text(f"If Connect takes them, they are gone in about {age}, at {outlook.send_rate:g} a second.")
    if share is not None:
        sent = f"{outlook.sent:,.0f}, {share:.0%} of sendRate"
        yield Text(f"Sent in the last {SENT_MINUTES} minutes: {sent} (counted up to 2 minutes late).")
    if waiting and outlook.sent == 0 and not outlook.sending.is_off:
        yield Text("If none goes out for longer: courier doctor", style="yellow")


def _pause_notice(status: Status) -> Iterator[Text]:
    sending = status.outlook.sending
    who = f"by {printable(sending.paused_by)} since {sending.paused_at}" if sending.paused_by else "but not by courier"
    if sending.is_off:
        yield Text(f"PAUSED {who}: nothing is sent. All that waits is sent after: courier resume", style="bold red")
    elif sending.was_switched_on:
        yield Text(f"Paused {who}, and switched on since, not by courier resume. Pause it again?", style="bold red")


def _table(status: Status) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("QUEUE", "WAITING", "IN FLIGHT", "DELAYED", "OLDEST"):
        table.add_column(name, justify="left" if name == "QUEUE" else "right", no_wrap=True)
    for name, queue in (("replies", status.replies), ("dead letters", status.dead_letters)):
        counts = (str(count) for count in (queue.waiting, queue.in_flight, queue.delayed))
        table.add_row(name, *counts, "-" if queue.oldest is None else format_age(queue.oldest))
    letters = status.letters
    for reason, count in letters.reasons.most_common():
        table.add_row(f"  {reason}", str(count))
    if letters.near_7_days:
        table.add_row("  first tried 6 days ago or more", str(letters.near_7_days), style="red")
    if letters.expiring:
        table.add_row("  deleted by SQS within 3 days (dlq renew)", str(letters.expiring), style="red")
    return table
