"""The bucket for bodies that are too large for a message."""

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk.aws_iam import PolicyStatement
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_s3 import BlockPublicAccess, Bucket, BucketEncryption, BucketPolicy, LifecycleRule, ObjectOwnership
from constructs import Construct

from infra.capacity import Capacity
from infra.queues import principals
from infra.settings import Settings

DAY = 86_400  # seconds


class Payloads(Construct):
    """A private, encrypted bucket for TLS only, which outlives its stack as the queues do.

    An object must outlive its message, which can spend its retention on the queue, then on the dead-letter queue, and
    then on both again: a redrive in the SQS console copies no object. (`courier` copies the objects of letters that it
    sends again.)

    Attributes:
        bucket: The bucket.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, capacity: Capacity, key: IKey | None
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = Bucket(
            self,
            "Bucket",
            encryption=BucketEncryption.KMS if key else BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=True if key else None,
            block_public_access=BlockPublicAccess.BLOCK_ALL,
            object_ownership=ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            lifecycle_rules=[
                LifecycleRule(
                    expiration=Duration.days(4 * capacity.retention_seconds // DAY + 1),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        Validations.of(self.bucket).acknowledge(
            Acknowledgment(
                id="AwsSolutions-S1",
                reason="Access logs would name the object of every reply. CloudTrail's data events can, if needed.",
            )
        )
        if settings.producers:
            self.bucket.add_to_resource_policy(
                PolicyStatement(
                    sid="AllowProducersToPut",
                    principals=principals(settings.producers),
                    actions=["s3:PutObject"],
                    resources=[self.bucket.arn_for_objects("*")],
                )
            )
        policy = self.bucket.node.try_find_child("Policy")
        if isinstance(policy, BucketPolicy):
            policy.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
