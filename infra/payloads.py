"""The bucket for bodies that are larger than a message."""

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk.aws_iam import PolicyStatement
from aws_cdk.aws_kms import Key
from aws_cdk.aws_s3 import BlockPublicAccess, Bucket, BucketEncryption, BucketPolicy, LifecycleRule, ObjectOwnership
from constructs import Construct

from infra.capacity import Capacity
from infra.queues import principals
from infra.settings import Settings

DAY = 86_400


class Payloads(Construct):
    """Private, encrypted, TLS only, and kept when the stack is deleted, as the queues are.

    An object outlives its message: on the queue, on the dead-letter queue, and on both once more, since a redrive in
    SQS's console copies no object. `courier` copies the objects of the letters that it sends again.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, capacity: Capacity) -> None:
        super().__init__(scope, construct_id)
        arn = settings.kms_key_arn
        key = Key.from_key_arn(self, "Key", arn) if arn else None
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
                reason="Access logs would name every reply's object; CloudTrail can, where wanted.",
            )
        )
        if settings.producers:
            self.bucket.add_to_resource_policy(
                PolicyStatement(
                    sid="LetProducersPut",
                    principals=principals(settings.producers),
                    actions=["s3:PutObject"],
                    resources=[self.bucket.arn_for_objects("*")],
                )
            )
        policy = self.bucket.node.try_find_child("Policy")
        if isinstance(policy, BucketPolicy):
            policy.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
