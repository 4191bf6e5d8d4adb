"""The queue that producers send replies to, and its dead-letter queue."""

from collections.abc import Iterable

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Stack, Validations
from aws_cdk.aws_iam import AccountPrincipal, ArnPrincipal, IPrincipal, PolicyStatement
from aws_cdk.aws_kms import IKey
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
    """Both queues, encrypted and for TLS only. They outlive their stack, with the unsent replies in them.

    Attributes:
        queue: The queue of replies, whose name is `name`.
        dead_letters: The dead-letter queue.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        settings: Settings,
        capacity: Capacity,
        key: IKey | None,
    ) -> None:
        super().__init__(scope, construct_id)
        # The two queues refer to each other, and CloudFormation refuses a circle: a known name avoids it.
        source = Queue.from_queue_arn(self, "Source", Stack.of(self).format_arn(service="sqs", resource=name))
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
                id="Serverless-SQSRedrivePolicy",
                reason="It is the dead-letter queue. A person decides what happens to its messages.",
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
                    sid="AllowProducersToSend",
                    principals=principals(settings.producers),
                    actions=["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"],
                    resources=[self.queue.queue_arn],
                )
            )
        # A queue that outlives its stack must still require TLS and let its producers send.
        for queue in (self.dead_letters, self.queue):
            policy = queue.node.try_find_child("Policy")
            if isinstance(policy, QueuePolicy):
                policy.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)


def principals(producers: Iterable[str]) -> list[IPrincipal]:
    """Turn the setting `producers`, account ids and ARNs, into the principals of a policy."""
    return [AccountPrincipal(producer) if producer.isdigit() else ArnPrincipal(producer) for producer in producers]
