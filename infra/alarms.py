"""The alarms, each for a state that needs a person, and the topic that they notify.

docs/runbook.md has a section for each alarm. An alarm must cope with metrics as they arrive. SQS publishes once a
minute, and late after a queue was idle. Lambda counts an invocation by its start. The function's own metrics exist only
when there is something to count, so a missing value counts as zero.
"""

import math

from aws_cdk import Acknowledgment, ArnFormat, RemovalPolicy, Stack, Validations
from aws_cdk.aws_cloudwatch import Alarm, ComparisonOperator, IMetric, TreatMissingData
from aws_cdk.aws_cloudwatch_actions import SnsAction
from aws_cdk.aws_iam import PolicyStatement, ServicePrincipal
from aws_cdk.aws_kms import IKey, Key
from aws_cdk.aws_sns import ITopic, Topic
from aws_cdk.aws_sns_subscriptions import EmailSubscription
from constructs import Construct

from infra.capacity import Capacity
from infra.metrics import Metrics, decimal, expression
from infra.settings import Settings

CLOUDWATCH = "cloudwatch.amazonaws.com"
DAY = 86_400  # seconds
HALF_A_DRAFT = 6 * 3_600  # seconds: a draft expires after 12 hours unless its CreateContact says otherwise


class AlarmTopic(Construct):
    """The topic of the alarms: only CloudWatch can publish to it, and only over TLS.

    Attributes:
        topic: The encrypted topic.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, key: IKey | None) -> None:
        super().__init__(scope, construct_id)
        self.topic = Topic(self, "Topic", master_key=key or self._own_key(), enforce_ssl=True)
        alarms = Stack.of(self).format_arn(
            service="cloudwatch", resource="alarm", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        # enforce_ssl replaces a topic's default policy, which lets the account's alarms publish.
        self.topic.add_to_resource_policy(
            PolicyStatement(
                sid="AllowAlarmsToPublish",
                principals=[ServicePrincipal(CLOUDWATCH)],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"ArnLike": {"aws:SourceArn": alarms}},
            )
        )
        if settings.alarm_email is not None:
            subscription = self.topic.add_subscription(EmailSubscription(settings.alarm_email))
            Validations.of(subscription).acknowledge(
                Acknowledgment(
                    id="Serverless-SNSRedrivePolicy",
                    reason="The console shows every alarm, and nobody would read a queue of undelivered alarm emails.",
                )
            )

    def _own_key(self) -> IKey:
        """Create a key that CloudWatch may use, which the policy of the AWS managed key for SNS doesn't allow.

        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
        """
        key = Key(
            self,
            "Key",
            description="Encrypts reply-courier's alarm topic",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        key.add_to_resource_policy(
            PolicyStatement(
                principals=[ServicePrincipal(CLOUDWATCH)],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        return key


class Alarms(Construct):
    """All alarms; each notifies the topic when it starts and when it ends."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        capacity: Capacity,
        metrics: Metrics,
        topic: ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._metrics = metrics
        self._action = SnsAction(topic)
        self._add_dead_letter_alarms(capacity)
        self._add_function_alarms(capacity)
        self._add_reply_alarms(settings)
        self._add_draft_alarms()
        self._add_connect_alarms()
        if settings.event_bus_name is not None:
            self._alarm(
                "OutcomesLost",
                metrics.of_function("OutcomesLost", 5),
                f"The event bus {settings.event_bus_name} rejected some outcome events, and the function doesn't send "
                "them again. The replies themselves are safe. First: aws events list-event-buses.",
            )

    def _alarm(
        self,
        name: str,
        metric: IMetric,
        description: str,
        *,
        threshold: float = 0,
        evaluation_periods: int = 1,
        datapoints_to_alarm: int | None = None,
    ) -> None:
        """Add an alarm that starts when the metric is above its threshold, in all evaluation periods by default."""
        alarm = Alarm(
            self,
            name,
            metric=metric,
            alarm_description=f"{description} Runbook: {name}.",
            comparison_operator=ComparisonOperator.GREATER_THAN_THRESHOLD,
            threshold=threshold,
            evaluation_periods=evaluation_periods,
            datapoints_to_alarm=datapoints_to_alarm or evaluation_periods,
            treat_missing_data=TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)

    def _add_dead_letter_alarms(self, capacity: Capacity) -> None:
        metrics = self._metrics
        self._alarm(
            "DeadLettersWaiting",
            metrics.visible_dead_letters(1),
            "Replies are on the dead-letter queue, each with a reason. The alarm ends when the queue is empty. It can "
            "also end for a minute while someone lists the letters. First: courier dlq groups.",
        )
        self._alarm(
            "DeadLettersRising",
            expression("DIFF(letters)", 15, letters=metrics.all_dead_letters(15)),
            "The dead-letter queue holds more replies than 15 minutes ago. First: courier dlq groups --newer-than 1h.",
            threshold=0.4,  # of averages: SQS's counts can be off by a few, which doesn't mean new letters
        )
        self._alarm(
            "TokenExpiring",
            metrics.dead_letter_age(5),
            "A dead-lettered reply is approaching the 7-day token limit. Replay it today: after day 7 only --force "
            "sends it, and the customer may get it twice. This alarm ignores letters that were received three times. "
            "DeadLettersWaiting counts them. First: courier dlq list --older-than 5d.",
            threshold=6 * DAY - capacity.retry_seconds,  # the token is older than the letter
        )
        self._alarm(
            "DeadLetterExpiring",
            metrics.dead_letter_age(5),
            "A dead letter is 12 days old, and SQS deletes it after 14 days. This alarm ignores letters that were "
            "received three times. DeadLettersWaiting counts them. First: courier dlq list.",
            threshold=12 * DAY,
        )

    def _add_function_alarms(self, capacity: Capacity) -> None:
        # A message that crashes the function returns after the visibility timeout: no shorter period could see it twice
        # in a row.
        minutes = math.ceil(capacity.visibility_timeout / 60)
        self._alarm(
            "FunctionErrors",
            self._metrics.errors(minutes),
            f"The function failed in two periods in a row, within {2 * minutes} minutes. It can't start, it times out, "
            "or a reply crashes it. The replies are safe on the queue. First: courier doctor.",
            evaluation_periods=2,
        )
        self._alarm(
            "FunctionThrottled",
            self._metrics.throttles(5),
            "Lambda has refused invocations for 15 minutes because the account has no concurrency left. The replies "
            "are safe on the queue. First: courier doctor.",
            evaluation_periods=3,
        )

    def _add_reply_alarms(self, settings: Settings) -> None:
        metrics = self._metrics
        deleted = metrics.deleted(5)
        half_rate = decimal(0.5 * settings.send_rate * 5 * 60)  # replies in a period
        self._alarm(
            "NoRepliesSent",
            expression("IF(waiting > 0 AND deleted == 0, 1, 0)", 5, waiting=metrics.waiting(5), deleted=deleted),
            "Replies are waiting, and none has left the queue for 15 minutes. Sending may be paused, Connect may be "
            "down or full, or the only reply may be waiting for its attachment scan. First: courier status.",
            evaluation_periods=3,
        )
        self._alarm(
            "SlowerThanSendRate",
            expression(
                f"IF(ready > {half_rate} AND deleted < {half_rate}, 1, 0)", 5, ready=metrics.ready(5), deleted=deleted
            ),
            "A backlog is waiting, and for 15 minutes replies have left the queue at less than half of sendRate, which "
            f"is {decimal(settings.send_rate)} a second. Another caller uses the quota, or the quota is lower than "
            "sendRate. First: courier doctor.",
            evaluation_periods=3,
        )
        self._alarm(
            "OldestReplyTooOld",
            metrics.reply_age(5),
            "A reply has waited for more than 6 hours. By default its draft expires after 12 hours. This alarm ignores "
            "replies that were received three times. RepliesSentLate counts them. First: courier status.",
            threshold=HALF_A_DRAFT,
        )
        self._alarm(
            "RepliesSentLate",
            metrics.of_function("TimeToAccept", 5, "Maximum"),
            "A reply was sent more than 6 hours after it reached the queue. Other replies may be late, too. First: "
            "courier status.",
            threshold=HALF_A_DRAFT,
        )
        self._alarm(
            "AccessDenied",
            metrics.of_function("AccessDenied", 1),
            "Amazon Connect denies the function access, or S3 does for large replies. After 30 minutes of this, the "
            "function dead-letters replies. A role, the instance's ARN or an organisation's policy has changed. First: "
            "courier doctor.",
        )
        self._alarm(
            "PayloadsUnavailable",
            metrics.of_function("PayloadsUnavailable", 5),
            "For 15 minutes, S3 hasn't returned the bodies of large replies. The function still sends small replies. "
            "First: courier status.",
            evaluation_periods=3,
        )

    def _add_draft_alarms(self) -> None:
        active = self._metrics.active_emails(5)
        self._alarm(
            "ActiveEmailsHigh",
            expression(f"MAX([{', '.join(f'FILL({group}, 0)' for group in active)}])", 5, **active),
            "More than 80 percent of the instance's quota of active emails is used, by drafts, inbound emails and "
            "emails that agents handle. At 100 percent, replies fail and inbound emails are blocked. First: courier "
            "status.",
            threshold=80,
            # FILL makes 0 of the newest period if its value arrives late ("Metric math syntax", FILL and alarms).
            evaluation_periods=3,
            datapoints_to_alarm=1,
        )
        self._alarm(
            "TableUnavailable",
            self._metrics.of_function("TableUnavailable", 5),
            "The function can't read or write the table of drafts. Replies with CreateContact wait on the queue, and "
            "the function still sends replies with ContactId. First: courier status.",
            evaluation_periods=5,  # a lone reply waits up to 15 minutes for its next receive
            datapoints_to_alarm=3,
        )

    def _add_connect_alarms(self) -> None:
        """Add an alarm, named like its metric, for each way in which Connect fails.

        The function makes few calls then, and few replies leave the queue: invalid ones, and those whose retry window
        has ended.
        """
        for name, cause in (
            ("ConnectUnavailable", "Connect answers with server errors (5xx)."),
            ("ConnectTimedOut", "Connect doesn't answer."),
            ("ActiveEmailsFull", "The instance has reached its limit of active emails."),
        ):
            self._alarm(
                name,
                expression(
                    "IF(failed > 0 AND deleted <= 2 * failed, 1, 0)",
                    5,
                    failed=self._metrics.of_function(name, 5),
                    deleted=self._metrics.deleted(5),
                ),
                f"For 15 minutes, hardly any reply was sent. {cause} First: courier status.",
                evaluation_periods=5,
                datapoints_to_alarm=3,
            )
