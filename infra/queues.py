"""The queue that producers send to, and the dead-letter queue beside it."""

from collections.abc import Iterable

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Stack, Validations
from aws_cdk.aws_iam import AccountPrincipal, ArnPrincipal, IPrincipal, PolicyStatement
from aws_cdk.aws_kms import Key
from aws_cdk.aws_sqs import (
    DeadLetterQueue,
    Queue,
    QueueEncryption,
    QueuePolicy,
    RedriveAllowPolicy,
    RedrivePermission,
)
from constructs import Construct

from infra.capacity import Capacity
from infra.settings import Settings


class Queues(Construct):
    """Both queues: encrypted, TLS only, and kept when the stack is deleted, with the unsent replies in them."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, capacity: Capacity) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        # The two queues name each other, which CloudFormation refuses as a circle: a name known beforehand opens it.
        name = stack.stack_name
        source = Queue.from_queue_arn(self, "Source", stack.format_arn(service="sqs", resource=name))
        arn = settings.kms_key_arn
        key = Key.from_key_arn(self, "Key", arn) if arn else None
        encryption = QueueEncryption.KMS if key else QueueEncryption.SQS_MANAGED
        self.dead_letters = Queue(
            self,
            "DeadLetters",
            encryption=encryption,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.seconds(capacity.retention_seconds),
            redrive_allow_policy=RedriveAllowPolicy(
                redrive_permission=RedrivePermission.BY_QUEUE, source_queues=[source]
            ),
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        Validations.of(self.dead_letters).acknowledge(
            Acknowledgment(
                id="Serverless-SQSRedrivePolicy", reason="It is the dead-letter queue: from here on a person decides."
            )
        )
        self.queue = Queue(
            self,
            "Queue",
            queue_name=name,
            encryption=encryption,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.seconds(capacity.retention_seconds),
            visibility_timeout=Duration.seconds(capacity.visibility_timeout),
            dead_letter_queue=DeadLetterQueue(queue=self.dead_letters, max_receive_count=capacity.max_receive_count),
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        if settings.producers:
            self.queue.add_to_resource_policy(
                PolicyStatement(
                    sid="LetProducersSend",
                    principals=principals(settings.producers),
                    actions=["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"],
                    resources=[self.queue.queue_arn],
                )
            )
        # A queue that outlives its stack is still reached over TLS alone, and by its producers.
        for queue in (self.dead_letters, self.queue):
            policy = queue.node.try_find_child("Policy")
            if isinstance(policy, QueuePolicy):
                policy.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)


def principals(producers: Iterable[str]) -> list[IPrincipal]:
    """Producers of other accounts, as policies name them."""
    return [AccountPrincipal(producer) if producer.isdigit() else ArnPrincipal(producer) for producer in producers]
