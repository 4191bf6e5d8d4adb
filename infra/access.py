"""Who may do what, statement by statement: the function's role, and the policies for producers and operators."""

from typing import cast

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk.aws_iam import IRole, ManagedPolicy, PolicyDocument, PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_lambda import IEventSourceMapping, IFunction
from aws_cdk.aws_logs import ILogGroup
from aws_cdk.aws_s3 import CfnBucket, IBucket
from aws_cdk.aws_sns import ITopic
from constructs import Construct

from infra.queues import Queues
from infra.settings import Settings


def handler_role(
    scope: Construct, *, settings: Settings, queues: Queues, payloads: IBucket, log_group: ILogGroup
) -> IRole:
    """Return the function's role; CDK adds nothing to it, so that this file shows all it allows."""
    statements = _function(settings, queues, log_group) + _payloads_read(payloads) + _outcomes(settings)
    statements += _key(settings)
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
        _every_object(payloads),
    )
    return role.without_policy_updates()


class Policies(Construct):
    """Policies to attach to those who work with the stack.

    Attributes:
        producer: Sends messages.
        operator: Does all that `courier` does.
    """

    def __init__(  # noqa: PLR0913  # each is a part of its own; only the first two are positional
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        queues: Queues,
        payloads: IBucket,
        log_group: ILogGroup,
        journal: ILogGroup,
        function: IFunction,
        mapping: IEventSourceMapping,
        alarm_topic: ITopic,
    ) -> None:
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
                PolicyStatement(
                    sid="PutLargeReplies",
                    actions=["s3:PutObject"],
                    resources=[payloads.arn_for_objects("*")],
                ),
                *_key(settings, through_services=True),
            ],
        )
        Validations.of(self.producer).acknowledge(_every_object(payloads))
        self.operator = ManagedPolicy(
            self,
            "Operator",
            description=f"Uses the command courier on {settings.stack_name}",
            statements=[
                *_operator(settings, queues),
                *_paused(queues, function, mapping),
                *_log_searched(log_group),
                PolicyStatement(
                    sid="KeepTheJournal",
                    actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                    resources=[journal.log_group_arn],
                ),
                *_examined(settings, function, alarm_topic),
                *_payloads_read(payloads),
                PolicyStatement(
                    sid="PutLargeReplies", actions=["s3:PutObject"], resources=[payloads.arn_for_objects("*")]
                ),
                *_key(settings, through_services=True),
            ],
        )
        Validations.of(self.operator).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="GetMetricStatistics, GetQueryResults, GetAccountSettings and what lists quotas support no "
                "resource-level permissions; DescribeAlarms asks for alarms whose names no deployment knows before.",
            ),
            Acknowledgment(
                id=f"AwsSolutions-IAM5[Resource::{settings.instance_arn}/*]",
                reason="SearchEmailAddresses finds the instance's email addresses, which have ARNs below its own.",
            ),
            Acknowledgment(
                id=f"AwsSolutions-IAM5[Resource::{_stack_arn(settings)}]",
                reason="A stack's ARN ends in an id that each deployment anew gives it; courier knows its name.",
            ),
            _every_object(payloads),
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


def _paused(queues: Queues, function: IFunction, mapping: IEventSourceMapping) -> list[PolicyStatement]:
    return [
        PolicyStatement(
            sid="PauseAndResume",
            actions=["lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"],
            resources=[mapping.event_source_mapping_arn],
        ),
        PolicyStatement(
            sid="SeeHowLongItRuns",
            actions=["lambda:GetFunctionConfiguration"],
            resources=[function.function_arn],
        ),
        PolicyStatement(
            sid="NoteWhoPaused",
            actions=["sqs:ListQueueTags", "sqs:TagQueue", "sqs:UntagQueue"],
            resources=[queues.queue.queue_arn],
        ),
    ]


def _log_searched(log_group: ILogGroup) -> list[PolicyStatement]:
    return [
        PolicyStatement(sid="SearchTheLog", actions=["logs:StartQuery"], resources=[log_group.log_group_arn]),
        PolicyStatement(sid="ReadWhatIsFound", actions=["logs:GetQueryResults"], resources=["*"]),
    ]


def _examined(settings: Settings, function: IFunction, alarm_topic: ITopic) -> list[PolicyStatement]:
    """What `courier doctor` asks besides; its --send-test is for whoever may call StartOutboundEmailContact."""
    return [
        PolicyStatement(
            sid="FindTheAlarms", actions=["cloudformation:ListStackResources"], resources=[_stack_arn(settings)]
        ),
        PolicyStatement(
            sid="SeeWhoIsTold", actions=["sns:ListSubscriptionsByTopic"], resources=[alarm_topic.topic_arn]
        ),
        PolicyStatement(
            sid="SeeWhatIsReserved", actions=["lambda:GetFunctionConcurrency"], resources=[function.function_arn]
        ),
        PolicyStatement(sid="SeeTheInstance", actions=["connect:DescribeInstance"], resources=[settings.instance_arn]),
        PolicyStatement(
            sid="CountEmailAddresses",
            actions=["connect:SearchEmailAddresses"],
            resources=[settings.instance_arn, f"{settings.instance_arn}/*"],
        ),
        PolicyStatement(
            sid="SeeAlarmsAndQuotas",
            actions=[
                "cloudwatch:DescribeAlarms",
                "lambda:GetAccountSettings",
                "servicequotas:ListAWSDefaultServiceQuotas",
                "servicequotas:ListServiceQuotas",
            ],
            resources=["*"],
        ),
    ]


def _payloads_read(payloads: IBucket) -> list[PolicyStatement]:
    return [
        PolicyStatement(sid="ReadLargeReplies", actions=["s3:GetObject"], resources=[payloads.arn_for_objects("*")]),
        # Without it S3 answers 403 and not 404 for an object that is gone (GetObject in the S3 API reference).
        PolicyStatement(sid="SeeWhatIsGone", actions=["s3:ListBucket"], resources=[payloads.bucket_arn]),
    ]


def _every_object(payloads: IBucket) -> Acknowledgment:
    name = Stack.of(payloads).get_logical_id(cast("CfnBucket", payloads.node.default_child))
    return Acknowledgment(
        id=f"AwsSolutions-IAM5[Resource::<{name}.Arn>/*]", reason="Every object of the bucket is the body of a reply."
    )


def _outcomes(settings: Settings) -> list[PolicyStatement]:
    if settings.event_bus_name is None:
        return []
    arn = "arn:{partition}:events:{region}:{account}:event-bus".format(**settings.instance)
    return [
        PolicyStatement(
            sid="TellOutcomes", actions=["events:PutEvents"], resources=[f"{arn}/{settings.event_bus_name}"]
        )
    ]


def _key(settings: Settings, *, through_services: bool = False) -> list[PolicyStatement]:
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
