"""The alarms: one for each state that needs a person.

docs/runbook.md has a section for each. They go off on metrics as they really come: SQS's once a minute, and late where
a queue was idle; Lambda's by when an invocation began; the function's own only when there is something to count, so
that what is missing counts as zero.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk.aws_cloudwatch import Alarm, ComparisonOperator, IMetric, TreatMissingData
from aws_cdk.aws_cloudwatch_actions import SnsAction
from aws_cdk.aws_sns import ITopic
from constructs import Construct

from infra.capacity import Capacity
from infra.monitoring.metrics import Metrics, maths
from infra.settings import Settings

DAY = 86_400
HALF_A_DRAFT = 6 * 3_600
"""Seconds: a draft lives for 12 hours, if its CreateContact did not say otherwise."""


@dataclass(frozen=True)
class Condition:
    """When an alarm goes off.

    Attributes:
        metric: A value for each period.
        meaning: What the alarm's mail says, the first command included.
        above: Goes off above this.
        periods: How many periods are looked at.
        of_them: How many of them have to be above; all, by default.
    """

    metric: IMetric
    meaning: str
    above: float = 0
    periods: int = 1
    of_them: int | None = None


class Alarms(Construct):
    """All of them, told to one topic when they go off and when that is over."""

    def __init__(self, scope: Construct, construct_id: str, conditions: Mapping[str, Condition], topic: ITopic) -> None:
        super().__init__(scope, construct_id)
        action = SnsAction(topic)
        for name, condition in conditions.items():
            alarm = Alarm(
                self,
                name,
                metric=condition.metric,
                alarm_description=f"{condition.meaning} Runbook: {name}.",
                comparison_operator=ComparisonOperator.GREATER_THAN_THRESHOLD,
                threshold=condition.above,
                evaluation_periods=condition.periods,
                datapoints_to_alarm=condition.of_them or condition.periods,
                treat_missing_data=TreatMissingData.NOT_BREACHING,
            )
            alarm.add_alarm_action(action)
            alarm.add_ok_action(action)


def conditions(metrics: Metrics, settings: Settings, capacity: Capacity) -> dict[str, Condition]:
    """Each alarm's name, and when it goes off."""
    return (
        _of_dead_letters(metrics, capacity)
        | _of_the_function(metrics, capacity)
        | _of_replies(metrics, settings)
        | _of_outcomes(metrics, settings)
    )


def _of_dead_letters(metrics: Metrics, capacity: Capacity) -> dict[str, Condition]:
    return {
        "DeadLettersWaiting": Condition(
            metrics.letters(1),
            "Replies wait on the dead-letter queue, each with its reason. It stays until the queue is empty, but for "
            "a minute while somebody lists the letters. First: courier dlq groups.",
        ),
        "MoreDeadLetters": Condition(
            maths("DIFF(letters)", 15, letters=metrics.all_letters(15)),
            "More replies wait on the dead-letter queue than a quarter of an hour before. First: courier dlq groups "
            "--newer-than 1h.",
            above=0.4,  # averages: one count of SQS's that is off by a few is not more letters
        ),
        "DeadLetterNears7Days": Condition(
            metrics.letter_age(5),
            "A dead letter is almost six days old. Seven days after its first try, Connect may have forgotten its "
            "client token, and the function does not send it without --force. Letters that were received three times "
            "are left out: DeadLettersWaiting sees them. First: courier dlq list --older-than 5d.",
            above=6 * DAY - capacity.retry_seconds,  # the token is older than the letter
        ),
        "DeadLetterNearsItsEnd": Condition(
            metrics.letter_age(5),
            "A dead letter is twelve days old. SQS deletes it after fourteen. It does not see letters that were "
            "received three times: DeadLettersWaiting does. First: courier dlq list.",
            above=12 * DAY,
        ),
    }


def _of_the_function(metrics: Metrics, capacity: Capacity) -> dict[str, Condition]:
    # What crashes the function comes back after the visibility time-out: a shorter period would be empty every time.
    minutes = math.ceil(capacity.visibility_timeout / 60)
    return {
        "FunctionFails": Condition(
            metrics.errors(minutes),
            f"The function failed twice within {2 * minutes} minutes: it cannot start, times out, or a reply crashes "
            "it. Replies are safe on the queue. First: courier doctor.",
            periods=2,
        ),
        "FunctionThrottled": Condition(
            metrics.throttles(5),
            "For a quarter of an hour Lambda has refused invocations: the account's concurrency is used up. Replies "
            "are safe on the queue. First: courier doctor.",
            periods=3,
        ),
    }


def _of_replies(metrics: Metrics, settings: Settings) -> dict[str, Condition]:
    done = metrics.done(5)
    slow = 0.5 * settings.send_rate * 5 * 60
    return {
        "NoneGoesOut": Condition(
            maths("IF(waiting > 0 AND done == 0, 1, 0)", 5, waiting=metrics.waiting(5), done=done),
            "Replies wait, and for a quarter of an hour none left the queue: the mapping is off, Connect is down or "
            "full, or the only reply there waits for its attachment. First: courier status.",
            periods=3,
        ),
        "SlowerThanSendRate": Condition(
            maths(f"IF(ready > {slow:g} AND done < {slow:g}, 1, 0)", 5, ready=metrics.ready(5), done=done),
            f"A backlog waits, and for a quarter of an hour it went down by less than half of {settings.send_rate:g} "
            "replies a second. Another caller uses the quota, or it is lower than sendRate. First: courier doctor.",
            periods=3,
        ),
        "RepliesWaitLong": Condition(
            metrics.reply_age(5),
            "A reply has waited for more than 6 hours. Drafts expire after 12, if their CreateContact did not say "
            "otherwise. SQS leaves out what was received three times: RepliesSentLate sees it. First: courier status.",
            above=HALF_A_DRAFT,
        ),
        "RepliesSentLate": Condition(
            metrics.of_function("TimeToAccept", 5, "Maximum"),
            "A reply was sent more than 6 hours after it came: others may follow. First: courier status.",
            above=HALF_A_DRAFT,
        ),
        "AccessDenied": Condition(
            metrics.of_function("AccessDenied", 1),
            "Amazon Connect (or S3, for large replies) refuses the function access; after half an hour of that replies "
            "are dead-lettered: a role, the instance's ARN or an organisation's policy changed. First: courier doctor.",
        ),
        "ConnectUnavailable": _refusing(metrics, "ConnectUnavailable", "Connect fails (5xx). First: courier status."),
        "ConnectTimesOut": _refusing(metrics, "ConnectTimedOut", "Connect does not answer. First: courier status."),
        "ConnectFull": _refusing(
            metrics,
            "ActiveEmailsFull",
            "The instance has as many active emails as it may have. First: courier status.",
        ),
        "PayloadsUnavailable": Condition(
            metrics.of_function("PayloadsUnavailable", 5),
            "For a quarter of an hour S3 has not given the bodies of large replies; the others go out. First: courier "
            "status.",
            periods=3,
        ),
    }


def _of_outcomes(metrics: Metrics, settings: Settings) -> dict[str, Condition]:
    if settings.event_bus_name is None:
        return {}
    return {
        "OutcomesLost": Condition(
            metrics.of_function("OutcomesLost", 5),
            f"The event bus {settings.event_bus_name} did not take what became of some replies, and is not told again. "
            "The replies themselves are safe. First: aws events list-event-buses.",
        )
    }


def _refusing(metrics: Metrics, refusals: str, meaning: str) -> Condition:
    """When Connect has refused for a quarter of an hour, and hardly anything left the queue.

    The function asks it sparingly; what leaves the queue then is invalid, or over its retry window.
    """
    return Condition(
        maths(
            "IF(refused > 0 AND done <= 2 * refused, 1, 0)",
            5,
            refused=metrics.of_function(refusals, 5),
            done=metrics.done(5),
        ),
        f"For a quarter of an hour hardly any reply was sent. {meaning}",
        periods=5,
        of_them=3,
    )
