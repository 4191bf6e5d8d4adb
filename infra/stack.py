"""The stack: composes the constructs and names what others need of it."""

from pathlib import Path

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.capacity import capacity
from infra.function import ReplyFunction
from infra.monitoring import Monitoring
from infra.queues import Queues
from infra.settings import Settings


class ReplyCourierStack(Stack):
    """Everything that is deployed; `code` is the function's folder."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, code: Path) -> None:
        super().__init__(scope, construct_id, description="Sends queued email replies through Amazon Connect")
        numbers = capacity(settings)
        queues = Queues(self, "Queues", capacity=numbers)
        delivery = ReplyFunction(self, "Delivery", settings=settings, capacity=numbers, queues=queues, code=code)
        Monitoring(
            self,
            "Monitoring",
            dead_letters=queues.dead_letters,
            function=delivery.function,
            email=settings.alarm_email,
        )

        # Operators' and producers' tools find the parts by these names.
        CfnOutput(self, "QueueUrl", value=queues.queue.queue_url)
        CfnOutput(self, "QueueArn", value=queues.queue.queue_arn)
        CfnOutput(self, "DeadLetterQueueUrl", value=queues.dead_letters.queue_url)
        CfnOutput(self, "DeadLetterQueueArn", value=queues.dead_letters.queue_arn)
        CfnOutput(self, "FunctionName", value=delivery.function.function_name)
