"""The topic that alarms are sent to."""

from aws_cdk import Acknowledgment, ArnFormat, RemovalPolicy, Stack, Validations
from aws_cdk.aws_iam import PolicyStatement, ServicePrincipal
from aws_cdk.aws_kms import IKey, Key
from aws_cdk.aws_sns import Topic
from aws_cdk.aws_sns_subscriptions import EmailSubscription
from constructs import Construct

from infra.settings import Settings

CLOUDWATCH = "cloudwatch.amazonaws.com"


class AlarmTopic(Construct):
    """A topic that CloudWatch, and nobody without TLS, can publish to.

    Attributes:
        topic: It, encrypted.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        key_arn = settings.kms_key_arn
        key = Key.from_key_arn(self, "Key", key_arn) if key_arn else self._own_key()
        self.topic = Topic(self, "Topic", master_key=key, enforce_ssl=True)
        alarms = Stack.of(self).format_arn(
            service="cloudwatch", resource="alarm", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        # The policy that enforces TLS replaces the one every topic starts with, which let the account's alarms in.
        self.topic.add_to_resource_policy(
            PolicyStatement(
                sid="LetAlarmsIn",
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
                    reason="An alarm that no mailbox takes is read in the console; a queue of such mails nobody reads.",
                )
            )

    def _own_key(self) -> IKey:
        """A key that CloudWatch may use.

        The key that AWS manages for SNS has a policy that does not say so
        (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html).
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
