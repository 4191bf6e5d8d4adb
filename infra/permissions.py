"""The IAM policies: the function's role, producers, operators. Policies of resources stand beside their resources."""

from typing import cast

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk.aws_dynamodb import ITable
from aws_cdk.aws_iam import IRole, ManagedPolicy, PolicyDocument, PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_lambda import IEventSourceMapping, IFunction
from aws_cdk.aws_logs import ILogGroup
from aws_cdk.aws_s3 import CfnBucket, IBucket
from aws_cdk.aws_sns import ITopic
from constructs import Construct

from infra.queues import Queues
from infra.settings import Settings


def function_role(
    scope: Construct, *, settings: Settings, queues: Queues, payloads: IBucket, drafts: ITable, log_group: ILogGroup
) -> IRole:
    """Create the function's role; CDK adds no statement to it, so the list here is complete."""
    instance_arn = settings.instance_arn
    contacts, users = f"{instance_arn}/contact/*", f"{instance_arn}/agent/*"
    of_this_instance = {"StringEquals": {"connect:InstanceId": [instance_arn.rpartition("/")[2], instance_arn]}}
    statements = [
        PolicyStatement(
            sid="SendReplies",
            actions=["connect:StartOutboundEmailContact"],
            resources=[instance_arn, f"{instance_arn}/*"],
        ),
        # AWS documents one resource type for this action, contact-flow, and the call doesn't name a flow. If AWS checks
        # the call against `*`, this statement allows it, for this instance only.
        PolicyStatement(
            sid="SendRepliesByInstanceId",
            actions=["connect:StartOutboundEmailContact"],
            resources=["*"],
            conditions=of_this_instance,
        ),
        PolicyStatement(sid="MakeDrafts", actions=["connect:CreateContact"], resources=[instance_arn, users, contacts]),
        PolicyStatement(
            sid="DescribeAndStopDrafts",
            actions=["connect:DescribeContact", "connect:StopContact"],
            resources=[contacts],
        ),
        PolicyStatement(
            sid="HandleDraftsByInstanceId",
            actions=["connect:CreateContact", "connect:DescribeContact", "connect:StopContact"],
            resources=["*"],
            conditions=of_this_instance,
        ),
        PolicyStatement(
            sid="RememberDrafts",
            actions=["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:UpdateItem"],
            resources=[drafts.table_arn],
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
        *_read_payloads(payloads),
    ]
    if settings.event_bus_name is not None:
        bus_arn = "arn:{partition}:events:{region}:{account}:event-bus".format(**settings.instance)
        statements.append(
            PolicyStatement(
                sid="PublishOutcomes",
                actions=["events:PutEvents"],
                resources=[f"{bus_arn}/{settings.event_bus_name}"],
            )
        )
    statements += [*_use_kms_key(settings), *_decrypt_drafts(settings)]
    role = Role(
        scope,
        "Role",
        assumed_by=ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"DeliverReplies": PolicyDocument(statements=statements)},
    )
    Validations.of(role).acknowledge(
        Acknowledgment(
            id="AwsSolutions-IAM5[Resource::*]",
            reason="X-Ray's PutTraceSegments and PutTelemetryRecords support no resource-level permissions. AWS "
            "doesn't document which resource it checks for Connect's calls: their condition names the instance.",
        ),
        Acknowledgment(
            id="Serverless-LambdaStarPermissions",
            reason="The AwsSolutions pack reports the statements on * one by one: see above.",
        ),
        Acknowledgment(
            id=f"AwsSolutions-IAM5[Resource::{instance_arn}/*]",
            reason="AWS doesn't document which of the instance's ARNs it checks. All of these belong to the instance.",
        ),
        *(
            Acknowledgment(
                id=f"AwsSolutions-IAM5[Resource::{arn}]",
                reason="A new contact's id isn't known beforehand, and a reply names the user who drafts it.",
            )
            for arn in (contacts, users)
        ),
        _every_payload(payloads),
    )
    return role.without_policy_updates()


class Policies(Construct):
    """Policies to attach to the people and programs that work with a deployment.

    Attributes:
        producer: Allows sending messages.
        operator: Allows everything that `courier` does.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        settings: Settings,
        queues: Queues,
        payloads: IBucket,
        drafts: ITable,
        function: IFunction,
        mapping: IEventSourceMapping,
        log_group: ILogGroup,
        journal: ILogGroup,
        alarm_topic: ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        put_payloads = PolicyStatement(
            sid="PutLargeReplies", actions=["s3:PutObject"], resources=[payloads.arn_for_objects("*")]
        )
        use_kms_key = _use_kms_key(settings, through_services=True)
        # CloudFormation replaces a policy whose description changes, and can't delete one that is attached.
        self.producer = ManagedPolicy(
            self,
            "Producer",
            description=f"Puts replies on the queue of {name}",
            statements=[
                PolicyStatement(
                    sid="SendReplies",
                    actions=["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"],
                    resources=[queues.queue.queue_arn],
                ),
                put_payloads,
                *use_kms_key,
            ],
        )
        Validations.of(self.producer).acknowledge(_every_payload(payloads))
        stack_arn = "arn:{partition}:cloudformation:{region}:{account}:stack".format(**settings.instance)
        stack_arn += f"/{Stack.of(self).stack_name}/*"
        self.operator = ManagedPolicy(
            self,
            "Operator",
            description=f"Uses the command courier on {name}",
            statements=[
                *_operate_queues(stack_arn, queues),
                *_pause(queues, function, mapping),
                PolicyStatement(sid="QueryLog", actions=["logs:StartQuery"], resources=[log_group.log_group_arn]),
                PolicyStatement(sid="ReadQueryResults", actions=["logs:GetQueryResults"], resources=["*"]),
                PolicyStatement(
                    sid="WriteAndReadJournal",
                    actions=["logs:CreateLogStream", "logs:FilterLogEvents", "logs:PutLogEvents"],
                    resources=[journal.log_group_arn],
                ),
                *_run_doctor(stack_arn, settings, function, alarm_topic),
                *_read_payloads(payloads),
                put_payloads,
                PolicyStatement(
                    sid="ReadDrafts",
                    actions=["dynamodb:DescribeTable", "dynamodb:GetItem"],
                    resources=[drafts.table_arn],
                ),
                *use_kms_key,
                *_decrypt_drafts(settings),
            ],
        )
        Validations.of(self.operator).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="GetMetricStatistics, GetQueryResults, GetAccountSettings and the lists of quotas support no "
                "resource-level permissions. CloudFormation chooses the names of the alarms for DescribeAlarms.",
            ),
            Acknowledgment(
                id=f"AwsSolutions-IAM5[Resource::{settings.instance_arn}/*]",
                reason="SearchEmailAddresses finds the instance's email addresses, whose ARNs start with its own.",
            ),
            Acknowledgment(
                id=f"AwsSolutions-IAM5[Resource::{stack_arn}]",
                reason="A stack's ARN ends in an id that every new deployment changes. courier knows the stack's name.",
            ),
            _every_payload(payloads),
        )


def _operate_queues(stack_arn: str, queues: Queues) -> list[PolicyStatement]:
    return [
        PolicyStatement(sid="ReadStackOutputs", actions=["cloudformation:DescribeStacks"], resources=[stack_arn]),
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
        PolicyStatement(sid="ReadMetrics", actions=["cloudwatch:GetMetricStatistics"], resources=["*"]),
    ]


def _pause(queues: Queues, function: IFunction, mapping: IEventSourceMapping) -> list[PolicyStatement]:
    return [
        PolicyStatement(
            sid="PauseAndResume",
            actions=["lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"],
            resources=[mapping.event_source_mapping_arn],
        ),
        PolicyStatement(
            sid="ReadFunctionConfiguration",
            actions=["lambda:GetFunctionConfiguration"],
            resources=[function.function_arn],
        ),
        PolicyStatement(
            sid="TagPausedQueue",
            actions=["sqs:ListQueueTags", "sqs:TagQueue", "sqs:UntagQueue"],
            resources=[queues.queue.queue_arn],
        ),
    ]


def _run_doctor(stack_arn: str, settings: Settings, function: IFunction, alarm_topic: ITopic) -> list[PolicyStatement]:
    """List what `courier doctor` needs besides; --send-test is for users who may call StartOutboundEmailContact."""
    return [
        PolicyStatement(sid="FindAlarms", actions=["cloudformation:ListStackResources"], resources=[stack_arn]),
        PolicyStatement(
            sid="ListAlarmSubscriptions", actions=["sns:ListSubscriptionsByTopic"], resources=[alarm_topic.topic_arn]
        ),
        PolicyStatement(
            sid="ReadReservedConcurrency",
            actions=["lambda:GetFunctionConcurrency"],
            resources=[function.function_arn],
        ),
        PolicyStatement(
            sid="DescribeInstance", actions=["connect:DescribeInstance"], resources=[settings.instance_arn]
        ),
        PolicyStatement(
            sid="SearchEmailAddresses",
            actions=["connect:SearchEmailAddresses"],
            resources=[settings.instance_arn, f"{settings.instance_arn}/*"],
        ),
        PolicyStatement(
            sid="ReadAlarmsAndQuotas",
            actions=[
                "cloudwatch:DescribeAlarms",
                "lambda:GetAccountSettings",
                "servicequotas:ListAWSDefaultServiceQuotas",
                "servicequotas:ListServiceQuotas",
            ],
            resources=["*"],
        ),
    ]


def _read_payloads(payloads: IBucket) -> list[PolicyStatement]:
    return [
        PolicyStatement(sid="ReadLargeReplies", actions=["s3:GetObject"], resources=[payloads.arn_for_objects("*")]),
        # Without ListBucket, S3 answers 403 instead of 404 for a missing object (GetObject in the S3 API reference).
        PolicyStatement(sid="DetectMissingReplies", actions=["s3:ListBucket"], resources=[payloads.bucket_arn]),
    ]


def _use_kms_key(settings: Settings, *, through_services: bool = False) -> list[PolicyStatement]:
    """Allow handling messages that a KMS key encrypts ("Key management" in SQS's developer guide)."""
    if settings.kms_key_arn is None:
        return []
    return [
        PolicyStatement(
            sid="UseKmsKey",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[settings.kms_key_arn],
            conditions=_via(settings, "s3", "sqs") if through_services else None,
        )
    ]


def _decrypt_drafts(settings: Settings) -> list[PolicyStatement]:
    """Allow what reads and writes of an encrypted table need ("DynamoDB encryption at rest: usage notes")."""
    if settings.kms_key_arn is None:
        return []
    return [
        PolicyStatement(
            sid="DecryptDrafts",
            actions=["kms:Decrypt"],
            resources=[settings.kms_key_arn],
            conditions=_via(settings, "dynamodb"),
        )
    ]


def _via(settings: Settings, *services: str) -> dict[str, dict[str, list[str]]]:
    """Return the condition that one of these services of AWS uses the key for the caller."""
    names = [f"{service}.{settings.instance['region']}.amazonaws.com" for service in services]
    return {"StringEquals": {"kms:ViaService": names}}


def _every_payload(payloads: IBucket) -> Acknowledgment:
    bucket = Stack.of(payloads).get_logical_id(cast("CfnBucket", payloads.node.default_child))
    return Acknowledgment(
        id=f"AwsSolutions-IAM5[Resource::<{bucket}.Arn>/*]", reason="Every object in the bucket is a reply's body."
    )
