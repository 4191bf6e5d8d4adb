"""What the function may do."""

from aws_cdk import Acknowledgment, Validations
from aws_cdk.aws_iam import IRole, PolicyDocument, PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_logs import ILogGroup
from aws_cdk.aws_s3 import IBucket
from constructs import Construct

from infra.access.statements import every_object, key, payloads_read
from infra.queues import Queues
from infra.settings import Settings


def handler_role(
    scope: Construct, *, settings: Settings, queues: Queues, payloads: IBucket, log_group: ILogGroup
) -> IRole:
    """Return the function's role; CDK adds nothing to it, so that this file shows all it allows."""
    statements = _function(settings, queues, log_group) + payloads_read(payloads) + _outcomes(settings)
    statements += key(settings)
    role = Role(
        scope,
        "Role",
        assumed_by=ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"DeliverReplies": PolicyDocument(statements=statements)},
    )
    Validations.of(role).acknowledge(
        Acknowledgment(
            id="AwsSolutions-IAM5[Resource::*]",
            reason="X-Ray's PutTraceSegments and PutTelemetryRecords support no resource-level permissions, and what "
            "StartOutboundEmailContact is checked against is not documented: there, the condition names the instance.",
        ),
        Acknowledgment(
            id="Serverless-LambdaStarPermissions",
            reason="The two statements on * are those above; cdk-nag's AwsSolutions pack names them one by one.",
        ),
        Acknowledgment(
            id=f"AwsSolutions-IAM5[Resource::{settings.instance_arn}/*]",
            reason="AWS does not document which ARN of the instance the call is checked against; all are inside it.",
        ),
        every_object(payloads),
    )
    return role.without_policy_updates()


def _function(settings: Settings, queues: Queues, log_group: ILogGroup) -> list[PolicyStatement]:
    instance_arn = settings.instance_arn
    return [
        PolicyStatement(
            sid="SendReplies",
            actions=["connect:StartOutboundEmailContact"],
            resources=[instance_arn, f"{instance_arn}/*"],
        ),
        # AWS documents a resource type (contact-flow, optional) that the call does not name. Should the call be checked
        # against `*`, this statement allows it, for this instance alone.
        PolicyStatement(
            sid="SendRepliesOfTheInstance",
            actions=["connect:StartOutboundEmailContact"],
            resources=["*"],
            conditions={"StringEquals": {"connect:InstanceId": [instance_arn.rpartition("/")[2], instance_arn]}},
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


def _outcomes(settings: Settings) -> list[PolicyStatement]:
    if settings.event_bus_name is None:
        return []
    arn = "arn:{partition}:events:{region}:{account}:event-bus".format(**settings.instance)
    return [
        PolicyStatement(
            sid="TellOutcomes", actions=["events:PutEvents"], resources=[f"{arn}/{settings.event_bus_name}"]
        )
    ]
