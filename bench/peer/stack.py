"""The peer's stack, after the documentation of CDK and Lambda, and with its limits where they name a better one."""

from pathlib import Path

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk.aws_iam import PolicyStatement
from aws_cdk.aws_lambda import Architecture, Code, Function, Runtime, Tracing
from aws_cdk.aws_lambda_event_sources import SqsEventSource
from aws_cdk.aws_sqs import DeadLetterQueue, Queue
from constructs import Construct

TIMEOUT = Duration.seconds(30)
"""Powertools' example has 5 s, too short for a batch of ten calls; six times as long does for slow ones as well."""
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: "at least six times" the function's
# time-out, and "at least 5" receives (Powertools' example has 2).
VISIBILITY_TIMEOUT = Duration.seconds(180)
MAX_RECEIVE_COUNT = 5


class PeerStack(Stack):
    """Queue, dead-letter queue, function, and the mapping between them.

    https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_lambda_event_sources-readme.html#sqs and
    https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_sqs-readme.html

    Args:
        scope: The app.
        construct_id: The stack's name.
        code: The function's folder.
        instance_arn: The Amazon Connect instance.
        architecture: The function's processor.
        max_concurrency: The mapping's, as this project's stack would have it.
    """

    def __init__(  # noqa: PLR0913 - each is a setting of its own; only the first two are positional
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Path,
        instance_arn: str,
        architecture: str,
        max_concurrency: int,
    ) -> None:
        super().__init__(scope, construct_id)
        dead_letters = Queue(self, "DeadLetters")
        queue = Queue(
            self,
            "Queue",
            visibility_timeout=VISIBILITY_TIMEOUT,
            dead_letter_queue=DeadLetterQueue(queue=dead_letters, max_receive_count=MAX_RECEIVE_COUNT),
        )
        function = Function(
            self,
            "Function",
            runtime=Runtime.PYTHON_3_13,
            architecture={"arm64": Architecture.ARM_64, "x86_64": Architecture.X86_64}[architecture],
            handler="handler.lambda_handler",
            code=Code.from_asset(str(code)),
            timeout=TIMEOUT,
            memory_size=256,
            tracing=Tracing.ACTIVE,
            environment={"INSTANCE_ID": instance_arn.rpartition("/")[2], "POWERTOOLS_SERVICE_NAME": "peer"},
        )
        function.add_to_role_policy(
            PolicyStatement(
                actions=["connect:StartOutboundEmailContact"], resources=[instance_arn, f"{instance_arn}/*"]
            )
        )
        function.add_event_source(
            SqsEventSource(queue, report_batch_item_failures=True, max_concurrency=max_concurrency)
        )
        # The names of this project's outputs, so that local AWS runs either.
        CfnOutput(self, "QueueUrl", value=queue.queue_url)
        CfnOutput(self, "DeadLetterQueueUrl", value=dead_letters.queue_url)
        CfnOutput(self, "FunctionName", value=function.function_name)
