"""Statements that several have: bodies in S3, and the key that encrypts."""

from typing import cast

from aws_cdk import Acknowledgment, Stack
from aws_cdk.aws_iam import PolicyStatement
from aws_cdk.aws_s3 import CfnBucket, IBucket

from infra.settings import Settings


def payloads_read(payloads: IBucket) -> list[PolicyStatement]:
    """What whoever reads bodies in S3 needs."""
    return [
        PolicyStatement(sid="ReadLargeReplies", actions=["s3:GetObject"], resources=[payloads.arn_for_objects("*")]),
        # Without it S3 answers 403 and not 404 for an object that is gone (GetObject in the S3 API reference).
        PolicyStatement(sid="SeeWhatIsGone", actions=["s3:ListBucket"], resources=[payloads.bucket_arn]),
    ]


def every_object(payloads: IBucket) -> Acknowledgment:
    """Why a statement is on all objects of the bucket, for cdk-nag."""
    name = Stack.of(payloads).get_logical_id(cast("CfnBucket", payloads.node.default_child))
    return Acknowledgment(
        id=f"AwsSolutions-IAM5[Resource::<{name}.Arn>/*]", reason="Every object of the bucket is the body of a reply."
    )


def key(settings: Settings, *, through_services: bool = False) -> list[PolicyStatement]:
    """What whoever handles messages needs of the key that encrypts them (SQS's developer guide, key management)."""
    if settings.kms_key_arn is None:
        return []
    services = [f"{service}.{settings.instance['region']}.amazonaws.com" for service in ("s3", "sqs")]
    return [
        PolicyStatement(
            sid="UseTheKey",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[settings.kms_key_arn],
            conditions={"StringEquals": {"kms:ViaService": services}} if through_services else None,
        )
    ]
