"""What the function may do, statement by statement."""

from aws_cdk import Acknowledgment, Validations
from aws_cdk.aws_iam import IRole, PolicyDocument, PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_logs import ILogGroup
from constructs import Construct

from infra.queues import Queues


def handler_role(scope: Construct, *, queues: Queues, log_group: ILogGroup, instance_arn: str) -> IRole:
    """Return the function's role; CDK adds nothing to it, so that this file shows all it allows."""
    role = Role(
        scope,
        "Role",
        assumed_by=ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"DeliverReplies": PolicyDocument(statements=_statements(queues, log_group, instance_arn))},
    )
    Validations.of(role).acknowledge(
        Acknowledgment(
            id="AwsSolutions-IAM5[Resource::*]",
            reason="X-Ray's PutTraceSegments and PutTelemetryRecords support no resource-level permissions.",
        ),
        Acknowledgment(
            id=f"AwsSolutions-IAM5[Resource::{instance_arn}/*]",
            reason="AWS does not document which ARN of the instance the call is checked against; all are inside it.",
        ),
    )
    return role.without_policy_updates()


def _statements(queues: Queues, log_group: ILogGroup, instance_arn: str) -> list[PolicyStatement]:
    return [
        PolicyStatement(
            sid="SendReplies",
            actions=["connect:StartOutboundEmailContact"],
            resources=[instance_arn, f"{instance_arn}/*"],
        ),
        PolicyStatement(
            sid="ReceiveReplies",
            actions=[
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ],
            resources=[queues.queue.queue_arn],
        ),
        PolicyStatement(
            sid="DeadLetterReplies", actions=["sqs:SendMessage"], resources=[queues.dead_letters.queue_arn]
        ),
        PolicyStatement(
            sid="WriteLog",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[log_group.log_group_arn],
        ),
        PolicyStatement(
            sid="WriteTraces", actions=["xray:PutTelemetryRecords", "xray:PutTraceSegments"], resources=["*"]
        ),
    ]
