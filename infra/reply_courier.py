"""The construct `ReplyCourier`: the whole deployment, for this project's stack or for any other CDK app."""

from pathlib import Path

from aws_cdk import CfnOutput, RemovalPolicy, Stack, Token
from aws_cdk.aws_kms import Key
from aws_cdk.aws_logs import LogGroup, RetentionDays
from constructs import Construct

from infra.alarms import Alarms, AlarmTopic
from infra.capacity import capacity
from infra.dashboard import Queries, ReplyDashboard
from infra.drafts import DraftTable
from infra.function import ReplyFunction
from infra.metrics import Metrics, decimal
from infra.payloads import Payloads
from infra.permissions import Policies
from infra.queues import Queues
from infra.settings import Settings


class ReplyCourier(Construct):
    """A queue of email replies, and everything that sends them through Amazon Connect and watches that.

    Args:
        scope: A construct in a stack of the instance's account and Region.
        construct_id: The construct's id there.
        settings: The choices of this deployment.
        code: The function's folder, from `infra.bundle.bundle`.
        name: The queue's name, the `service` in the function's metrics, and the folder of the saved queries. An account
            has each name once in a Region. The default is the stack's name, which `courier` expects.

    Attributes:
        queue: The queue of replies.
        dead_letter_queue: The queue of the replies that failed.
        payload_bucket: The bucket for bodies that are too large for a message.
        draft_table: The table of the drafts that the function makes.
        function: The function that sends the replies.
        mapping: The event source mapping from the queue to the function.
        log_group: The function's log.
        journal: The log of operators' changes. It holds ids and who did what, and nothing of a reply.
        alarm_topic: The topic that the alarms notify.
        dashboard: The dashboard.
        producer_policy: A policy to attach to producers.
        operator_policy: A policy to attach to the users of `courier`.

    Raises:
        ValueError: The stack is in another account or Region than the instance.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, code: Path, name: str | None = None
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        for part, value in (("account", stack.account), ("region", stack.region)):
            if not Token.is_unresolved(value) and value != settings.instance[part]:
                raise ValueError(
                    f"The stack's {part} is {value}, the instance's is {settings.instance[part]}: give the stack "
                    "the account and Region of the Amazon Connect instance (env)"
                )
        name = name or stack.stack_name
        numbers = capacity(settings)
        key = Key.from_key_arn(self, "Key", settings.kms_key_arn) if settings.kms_key_arn else None

        queues = Queues(self, "Queues", name=name, settings=settings, capacity=numbers, key=key)
        self.queue, self.dead_letter_queue = queues.queue, queues.dead_letters
        self.payload_bucket = Payloads(self, "Payloads", settings=settings, capacity=numbers, key=key).bucket
        self.draft_table = DraftTable(self, "Drafts", key=key).table
        delivery = ReplyFunction(
            self,
            "Delivery",
            name=name,
            settings=settings,
            capacity=numbers,
            queues=queues,
            payloads=self.payload_bucket,
            drafts=self.draft_table,
            key=key,
            code=code,
        )
        self.function, self.mapping, self.log_group = delivery.function, delivery.mapping, delivery.log_group

        instance_id = settings.instance_arn.rpartition("/")[2]
        metrics = Metrics(name, self.queue, self.dead_letter_queue, self.function, instance_id)
        self.alarm_topic = AlarmTopic(self, "AlarmTopic", settings=settings, key=key).topic
        Alarms(self, "Alarms", settings=settings, capacity=numbers, metrics=metrics, topic=self.alarm_topic)
        self.dashboard = ReplyDashboard(self, "Dashboard", settings=settings, metrics=metrics).dashboard
        Queries(self, "Queries", folder=name, log_group=self.log_group)
        self.journal = LogGroup(
            Construct(self, "Journal"),
            "Log",
            encryption_key=key,
            retention=RetentionDays.TEN_YEARS,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        policies = Policies(
            self,
            "Policies",
            name=name,
            settings=settings,
            queues=queues,
            payloads=self.payload_bucket,
            drafts=self.draft_table,
            function=self.function,
            mapping=self.mapping,
            log_group=self.log_group,
            journal=self.journal,
            alarm_topic=self.alarm_topic,
        )
        self.producer_policy, self.operator_policy = policies.producer, policies.operator
        self._send_rate = settings.send_rate

    def add_outputs(self) -> None:
        """Add the outputs by which `courier` and producers find the parts to the stack, which has each name once."""
        for name, value in {
            "QueueUrl": self.queue.queue_url,
            "QueueArn": self.queue.queue_arn,
            "DeadLetterQueueUrl": self.dead_letter_queue.queue_url,
            "DeadLetterQueueArn": self.dead_letter_queue.queue_arn,
            "PayloadBucketName": self.payload_bucket.bucket_name,
            "DraftTableName": self.draft_table.table_name,
            "FunctionName": self.function.function_name,
            "MappingId": self.mapping.event_source_mapping_id,
            "SendRate": decimal(self._send_rate),
            "LogGroupName": self.log_group.log_group_name,
            "JournalLogGroupName": self.journal.log_group_name,
            "AlarmTopicArn": self.alarm_topic.topic_arn,
            "ProducerPolicyArn": self.producer_policy.managed_policy_arn,
            "OperatorPolicyArn": self.operator_policy.managed_policy_arn,
        }.items():
            CfnOutput(Stack.of(self), name, value=value)
