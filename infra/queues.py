"""The queue that producers send to, and the dead-letter queue beside it."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk.aws_sqs import (
    DeadLetterQueue,
    Queue,
    QueueEncryption,
    RedriveAllowPolicy,
    RedrivePermission,
)
from constructs import Construct

from infra.capacity import Capacity


class Queues(Construct):
    """Both queues: encrypted, TLS only, and kept when the stack is deleted, with the unsent replies in them."""

    def __init__(self, scope: Construct, construct_id: str, *, capacity: Capacity) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        # The two queues name each other, which CloudFormation refuses as a circle: a name known beforehand opens it.
        name = stack.stack_name
        source = Queue.from_queue_arn(self, "Source", stack.format_arn(service="sqs", resource=name))
        self.dead_letters = Queue(
            self,
            "DeadLetters",
            encryption=QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.seconds(capacity.retention_seconds),
            redrive_allow_policy=RedriveAllowPolicy(
                redrive_permission=RedrivePermission.BY_QUEUE, source_queues=[source]
            ),
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        self.queue = Queue(
            self,
            "Queue",
            queue_name=name,
            encryption=QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.seconds(capacity.retention_seconds),
            visibility_timeout=Duration.seconds(capacity.visibility_timeout),
            dead_letter_queue=DeadLetterQueue(queue=self.dead_letters, max_receive_count=capacity.max_receive_count),
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
