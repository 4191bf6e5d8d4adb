"""The alarms, and the topic that they are sent to."""

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk.aws_cloudwatch import Alarm, ComparisonOperator, IMetric, Metric, TreatMissingData
from aws_cdk.aws_cloudwatch_actions import SnsAction
from aws_cdk.aws_iam import PolicyStatement, ServicePrincipal
from aws_cdk.aws_kms import Key
from aws_cdk.aws_lambda import IFunction
from aws_cdk.aws_sns import Topic
from aws_cdk.aws_sns_subscriptions import EmailSubscription
from aws_cdk.aws_sqs import IQueue
from constructs import Construct

from infra.function import METRICS_NAMESPACE, SERVICE

MINUTE = Duration.minutes(1)


class Monitoring(Construct):
    """One alarm for each state that needs a person: dead letters, refused access, a function that keeps failing."""

    def __init__(
        self, scope: Construct, construct_id: str, *, dead_letters: IQueue, function: IFunction, email: str | None
    ) -> None:
        super().__init__(scope, construct_id)
        self._topic = self._alarm_topic()
        if email is not None:
            self._topic.add_subscription(EmailSubscription(email))
        self._alarm(
            "DeadLettersWaiting",
            dead_letters.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum"),
            "Replies wait in the dead-letter queue. Each carries its Reason and Detail: mend the cause, then replay.",
        )
        self._alarm(
            "AccessDenied",
            Metric(
                namespace=METRICS_NAMESPACE,
                metric_name="RepliesDenied",
                dimensions_map={"service": SERVICE},
                period=MINUTE,
                statistic="Sum",
            ),
            "Amazon Connect refuses the function access. Check its role, the instance ARN and any service control "
            "policy: replies are dead-lettered if this lasts half an hour.",
        )

        self._alarm(
            "FunctionFails",
            function.metric_errors(period=MINUTE, statistic="Sum"),
            "Invocations have failed for five minutes in a row: the function cannot start, crashes or times out. Its "
            "replies are safe on the queue; its log says why.",
            minutes=5,
        )

    def _alarm_topic(self) -> Topic:
        """Return a topic that CloudWatch, and nobody without TLS, can publish to."""
        cloudwatch = ServicePrincipal("cloudwatch.amazonaws.com")
        # A key of our own: CloudWatch may use a key only if the key's policy says so, which that of the key that AWS
        # manages for SNS does not (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html).
        key = Key(
            self,
            "Key",
            description="Encrypts reply-courier's alarm topic",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        key.add_to_resource_policy(
            PolicyStatement(
                principals=[cloudwatch],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        topic = Topic(self, "Alarms", master_key=key, enforce_ssl=True)
        alarms = Stack.of(self).format_arn(
            service="cloudwatch", resource="alarm", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        # The policy that enforces TLS replaces the one every topic starts with, which let the account's alarms in.
        topic.add_to_resource_policy(
            PolicyStatement(
                sid="LetAlarmsIn",
                principals=[cloudwatch],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"ArnLike": {"aws:SourceArn": alarms}},
            )
        )
        return topic

    def _alarm(self, construct_id: str, metric: IMetric, description: str, minutes: int = 1) -> None:
        """Alarm when the value is above zero for this many minutes in a row."""
        alarm = Alarm(
            self,
            construct_id,
            metric=metric,
            alarm_description=description,
            comparison_operator=ComparisonOperator.GREATER_THAN_THRESHOLD,
            threshold=0,
            evaluation_periods=minutes,
            treat_missing_data=TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(SnsAction(self._topic))
