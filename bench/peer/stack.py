"""The peer's CDK app: `cdk deploy peer --app "python -m bench.peer.stack"`.

The stack follows the documentation of CDK and Lambda. Where these name a better limit than Powertools' example, it uses
that limit.
"""

from pathlib import Path

from aws_cdk import App, CfnOutput, Duration, Stack
from aws_cdk.aws_iam import PolicyStatement
from aws_cdk.aws_lambda import Architecture, Code, Function, Runtime, Tracing
from aws_cdk.aws_lambda_event_sources import SqsEventSource
from aws_cdk.aws_sqs import DeadLetterQueue, Queue
from constructs import Construct

from bench.peer import bundle

TIMEOUT = Duration.seconds(30)
"""Powertools' example has 5 s, which is too short for a batch of ten slow calls."""
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: "at least six times" the function's
# time-out, and "at least 5" receives (Powertools' example has 2).
VISIBILITY_TIMEOUT = Duration.seconds(180)
MAX_RECEIVE_COUNT = 5


class PeerStack(Stack):
    """Queue, dead-letter queue, function, and the mapping between them.

    https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_lambda_event_sources-readme.html#sqs and
    https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_sqs-readme.html

    The app's context has the settings: `instanceArn`, `architecture`, `maxConcurrency` (reply-courier's, for a fair
    comparison), and `omitClientToken`, which makes the function send without a client token.
    """

    def __init__(self, scope: Construct, construct_id: str, code: Path) -> None:
        super().__init__(scope, construct_id)
        instance_arn = self.node.get_context("instanceArn")
        environment = {"INSTANCE_ID": instance_arn.rpartition("/")[2], "POWERTOOLS_SERVICE_NAME": "peer"}
        if self.node.try_get_context("omitClientToken"):
            environment["OMIT_CLIENT_TOKEN"] = "true"
        dead_letters = Queue(self, "DeadLetters")
        queue = Queue(
            self,
            "Queue",
            visibility_timeout=VISIBILITY_TIMEOUT,
            dead_letter_queue=DeadLetterQueue(queue=dead_letters, max_receive_count=MAX_RECEIVE_COUNT),
        )
        architecture = self.node.get_context("architecture")
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
            environment=environment,
        )
        function.add_to_role_policy(
            PolicyStatement(
                actions=["connect:StartOutboundEmailContact"], resources=[instance_arn, f"{instance_arn}/*"]
            )
        )
        concurrency = int(self.node.get_context("maxConcurrency"))
        function.add_event_source(SqsEventSource(queue, report_batch_item_failures=True, max_concurrency=concurrency))
        # The outputs have the names of reply-courier's, so that local AWS runs both.
        CfnOutput(self, "QueueUrl", value=queue.queue_url)
        CfnOutput(self, "DeadLetterQueueUrl", value=dead_letters.queue_url)
        CfnOutput(self, "FunctionName", value=function.function_name)


def synth(app: App) -> None:
    """Synthesise the stack with the settings in the app's context."""
    PeerStack(app, "peer", bundle())
    app.synth()


if __name__ == "__main__":
    synth(App())
