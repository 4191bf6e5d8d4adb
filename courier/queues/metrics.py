"""What CloudWatch knows of the queue of replies and of what was sent: some minutes late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from courier.aws import Account

AGE_MINUTES = 15
"""SQS reports its metrics each minute, and some minutes late."""
SENT_MINUTES = 5
"""Over so many minutes sent replies are counted, up to LATE_MINUTES ago."""
LATE_MINUTES = 1
"""CloudWatch makes metrics of the function's log within this time, as a rule; a minute without all of them would look
slower than it was."""


class Measured(NamedTuple):
    """What CloudWatch says; None where it says nothing.

    Attributes:
        oldest: Age of the oldest reply, in seconds. SQS leaves out those received three times or more.
        sent: Replies sent in SENT_MINUTES.
    """

    oldest: float | None = None
    sent: float | None = None


def measured(account: Account, now: float, warn: Callable[[str], None]) -> Measured:
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
    except (BotoCoreError, ClientError) as refused:
        failed = f"cloudwatch:GetMetricStatistics failed ({type(refused).__name__})"
        warn(f"The oldest reply's age, and how many were sent, are not known: {failed}.")
        return Measured()
    oldest = max(ages, key=lambda point: point["Timestamp"])["Maximum"] if ages else None
    # Where the function sent nothing it counts nothing: CloudWatch has no zeros of it.
    return Measured(oldest, sum(point["Sum"] for point in sent))
