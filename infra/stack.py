"""The stack: composes the constructs and names what others need of it."""

from pathlib import Path

from aws_cdk import CfnOutput, Environment, Stack
from constructs import Construct

from infra.access.policies import Policies
from infra.capacity import capacity
from infra.function import ReplyFunction
from infra.journal import Journal
from infra.monitoring.alarm_topic import AlarmTopic
from infra.monitoring.alarms import Alarms, conditions
from infra.monitoring.dashboard import Queries, ReplyDashboard
from infra.monitoring.metrics import Metrics
from infra.payloads import Payloads
from infra.queues import Queues
from infra.settings import Settings


class ReplyCourierStack(Stack):
    """Everything that is deployed; `code` is the function's folder."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, code: Path) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Sends queued email replies through Amazon Connect",
            env=Environment(account=settings.instance["account"], region=settings.instance["region"]),
            termination_protection=settings.termination_protection,
        )
        numbers = capacity(settings)
        queues = Queues(self, "Queues", settings=settings, capacity=numbers)
        payloads = Payloads(self, "Payloads", settings=settings, capacity=numbers).bucket
        delivery = ReplyFunction(
            self, "Delivery", settings=settings, capacity=numbers, queues=queues, payloads=payloads, code=code
        )
        metrics = Metrics(settings.stack_name, queues.queue, queues.dead_letters, delivery.function)
        topic = AlarmTopic(self, "AlarmTopic", settings=settings).topic
        Alarms(self, "Alarms", conditions(metrics, settings, numbers), topic)
        ReplyDashboard(self, "Dashboard", metrics=metrics, settings=settings)
        Queries(self, "Queries", log_group=delivery.log_group)
        journal = Journal(self, "Journal", settings=settings).log_group
        policies = Policies(
            self,
            "Policies",
            settings=settings,
            queues=queues,
            payloads=payloads,
            log_group=delivery.log_group,
            journal=journal,
            function=delivery.function,
            mapping=delivery.mapping,
            alarm_topic=topic,
        )

        # Operators' and producers' tools find the parts by these names.
        CfnOutput(self, "QueueUrl", value=queues.queue.queue_url)
        CfnOutput(self, "QueueArn", value=queues.queue.queue_arn)
        CfnOutput(self, "DeadLetterQueueUrl", value=queues.dead_letters.queue_url)
        CfnOutput(self, "DeadLetterQueueArn", value=queues.dead_letters.queue_arn)
        CfnOutput(self, "PayloadBucketName", value=payloads.bucket_name)
        CfnOutput(self, "FunctionName", value=delivery.function.function_name)
        CfnOutput(self, "MappingId", value=delivery.mapping.event_source_mapping_id)
        CfnOutput(self, "SendRate", value=f"{settings.send_rate:g}")
        CfnOutput(self, "LogGroupName", value=delivery.log_group.log_group_name)
        CfnOutput(self, "JournalLogGroupName", value=journal.log_group_name)
        CfnOutput(self, "AlarmTopicArn", value=topic.topic_arn)
        CfnOutput(self, "ProducerPolicyArn", value=policies.producer.managed_policy_arn)
        CfnOutput(self, "OperatorPolicyArn", value=policies.operator.managed_policy_arn)
