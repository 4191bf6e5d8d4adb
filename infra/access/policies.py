"""What producers and operators may do: policies to attach to them."""

from aws_cdk import Acknowledgment, Validations
from aws_cdk.aws_iam import ManagedPolicy, PolicyStatement
from aws_cdk.aws_lambda import IEventSourceMapping, IFunction
from aws_cdk.aws_logs import ILogGroup
from aws_cdk.aws_s3 import IBucket
from aws_cdk.aws_sns import ITopic
from constructs import Construct

from infra.access.statements import every_object, key, payloads_read
from infra.queues import Queues
from infra.settings import Settings


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
                *key(settings, through_services=True),
            ],
        )
        Validations.of(self.producer).acknowledge(every_object(payloads))
        self.operator = ManagedPolicy(
            self,
            "Operator",
            description=f"Uses the command courier on {settings.stack_name}",
            statements=[
                *_operator(settings, queues),
                *_paused(queues, function, mapping),
                *_log_searched(log_group),
                PolicyStatement(
                    sid="KeepAndReadTheJournal",
                    actions=["logs:CreateLogStream", "logs:FilterLogEvents", "logs:PutLogEvents"],
                    resources=[journal.log_group_arn],
                ),
                *_examined(settings, function, alarm_topic),
                *payloads_read(payloads),
                PolicyStatement(
                    sid="PutLargeReplies", actions=["s3:PutObject"], resources=[payloads.arn_for_objects("*")]
                ),
                *key(settings, through_services=True),
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
            every_object(payloads),
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
