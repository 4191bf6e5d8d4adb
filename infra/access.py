"""Who may do what, statement by statement: the function's role, and the policies for producers and operators."""

from aws_cdk import Acknowledgment, Validations
from aws_cdk.aws_iam import IRole, ManagedPolicy, PolicyDocument, PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_logs import ILogGroup
from constructs import Construct

from infra.queues import Queues
from infra.settings import Settings


def handler_role(scope: Construct, *, settings: Settings, queues: Queues, log_group: ILogGroup) -> IRole:
    """Return the function's role; CDK adds nothing to it, so that this file shows all it allows."""
    statements = _function(settings, queues, log_group) + _key(settings)
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
    )
    return role.without_policy_updates()


class Policies(Construct):
    """Policies to attach to those who work with the stack.

    Attributes:
        producer: Sends messages.
        operator: Does all that `courier` does.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, queues: Queues) -> None:
        super().__init__(scope, construct_id)
        self.producer = ManagedPolicy(
            self,
            "Producer",
            description=f"Puts replies on the queue of {settings.stack_name}",
            statements=[
                PolicyStatement(
                    sid="SendReplies",
                    actions=["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"],
                    resources=[queues.queue.queue_arn],
                ),
                *_key(settings, through_sqs=True),
            ],
        )
        self.operator = ManagedPolicy(
            self,
            "Operator",
            description=f"Uses the command courier on {settings.stack_name}",
            statements=_operator(settings, queues) + _key(settings, through_sqs=True),
        )
        Validations.of(self.operator).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="CloudWatch's GetMetricStatistics supports no resource-level permissions.",
            ),
            Acknowledgment(
                id=f"AwsSolutions-IAM5[Resource::{_stack_arn(settings)}]",
                reason="A stack's ARN ends in an id that each deployment anew gives it; courier knows its name.",
            ),
        )


def _stack_arn(settings: Settings) -> str:
    arn = "arn:{partition}:cloudformation:{region}:{account}:stack".format(**settings.instance)
    return f"{arn}/{settings.stack_name}/*"


def _operator(settings: Settings, queues: Queues) -> list[PolicyStatement]:
    return [
        PolicyStatement(
            sid="FindTheQueues", actions=["cloudformation:DescribeStacks"], resources=[_stack_arn(settings)]
        ),
        PolicyStatement(
            sid="SendAndReplay",
            actions=["sqs:GetQueueAttributes", "sqs:SendMessage"],
            resources=[queues.queue.queue_arn],
        ),
        PolicyStatement(
            sid="HandleDeadLetters",
            actions=[
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ],
            resources=[queues.dead_letters.queue_arn],
        ),
        PolicyStatement(sid="ReadAges", actions=["cloudwatch:GetMetricStatistics"], resources=["*"]),
    ]


def _key(settings: Settings, *, through_sqs: bool = False) -> list[PolicyStatement]:
    """What whoever handles messages needs of the key that encrypts them (SQS's developer guide, key management)."""
    if settings.kms_key_arn is None:
        return []
    sqs = f"sqs.{settings.instance['region']}.amazonaws.com"
    return [
        PolicyStatement(
            sid="UseTheKey",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[settings.kms_key_arn],
            conditions={"StringEquals": {"kms:ViaService": sqs}} if through_sqs else None,
        )
    ]


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
