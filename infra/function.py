"""The function, its log, and the mapping that feeds it from the queue."""

from pathlib import Path
from typing import cast

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk.aws_kms import Key
from aws_cdk.aws_lambda import (
    ApplicationLogLevel,
    Architecture,
    CfnFunction,
    Code,
    EventSourceMapping,
    Function,
    LoggingFormat,
    Runtime,
    Tracing,
)
from aws_cdk.aws_logs import CfnLogGroup, LogGroup
from aws_cdk.aws_s3 import IBucket
from constructs import Construct

from infra.access.function_role import handler_role
from infra.capacity import Capacity
from infra.queues import Queues
from infra.settings import Settings

MEMORY_MB = 256
NAMESPACE = "ReplyCourier"  # of the metrics that the function writes
ARCHITECTURES = {"arm64": Architecture.ARM_64, "x86_64": Architecture.X86_64}


class ReplyFunction(Construct):
    """Sends what is on the queue.

    Args:
        scope: The stack.
        construct_id: Its name in the stack.
        settings: The choices of this deployment.
        capacity: The numbers derived from them.
        queues: Where replies come from, and where those go that cannot be sent.
        payloads: Where their bodies are if they are larger than a message.
        code: The folder to deploy.
    """

    def __init__(  # noqa: PLR0913  # each is a part of its own; only the first two are positional
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        capacity: Capacity,
        queues: Queues,
        payloads: IBucket,
        code: Path,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = self.log_group = LogGroup(
            self,
            "Log",
            encryption_key=Key.from_key_arn(self, "Key", settings.kms_key_arn) if settings.kms_key_arn else None,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        # LogGroup takes an enum of names; the setting is the number of days itself.
        cast("CfnLogGroup", log_group.node.default_child).retention_in_days = settings.log_retention_days
        self.function = Function(
            self,
            "Function",
            description="Sends email replies from the queue through Amazon Connect",
            runtime=Runtime.PYTHON_3_13,
            architecture=ARCHITECTURES[settings.architecture],
            handler="handler.app.lambda_handler",
            code=Code.from_asset(str(code)),
            role=handler_role(self, settings=settings, queues=queues, payloads=payloads, log_group=log_group),
            timeout=Duration.seconds(capacity.function_timeout),
            # The largest reply takes 190 MiB in all for the time of its call (bench/results/start.md). More would buy
            # processor time, billed by the second, for work that mostly waits for Connect and for its pace.
            memory_size=MEMORY_MB,
            tracing=Tracing.ACTIVE,
            log_group=log_group,
            # Lambda's own lines become JSON as well; Powertools' lines and metrics are JSON and pass unchanged.
            logging_format=LoggingFormat.JSON,
            # Metrics are lines of this level: with WARN there would be none.
            application_log_level_v2=ApplicationLogLevel.INFO,
            environment={
                "CONNECT_INSTANCE_ARN": settings.instance_arn,
                "QUEUE_URL": queues.queue.queue_url,
                "DEAD_LETTER_QUEUE_URL": queues.dead_letters.queue_url,
                "PAYLOAD_BUCKET": payloads.bucket_name,
                "EVENT_BUS_NAME": settings.event_bus_name or "",
                "SEND_RATE_SHARE": str(capacity.share),
                "BURST_SHARE": str(capacity.burst),
                "RETRY_SECONDS": str(capacity.retry_seconds),
                "MAX_RECEIVES": str(capacity.max_receives),
                "CRASH_LOOP_SECONDS": str(capacity.crash_loop_seconds),
                "RETENTION_SECONDS": str(capacity.retention_seconds),
                # The memory of a large reply goes back to the system. Left to itself, glibc's allocator learns to keep
                # it, in ever more pieces: 410 MiB after twenty (M_MMAP_THRESHOLD in mallopt(3)).
                "MALLOC_MMAP_THRESHOLD_": str(2**20),
                "ALLOWED_RECIPIENTS": " ".join(settings.allowed_recipients),
                "POWERTOOLS_SERVICE_NAME": settings.stack_name,
                "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
            },
        )
        supported = "Lock, bytecode and tests are of Python 3.13; Lambda supports it until 2029."
        Validations.of(self.function).acknowledge(
            Acknowledgment(id="AwsSolutions-L1", reason=supported),
            Acknowledgment(id="Serverless-LambdaLatestVersion", reason=supported),
            Acknowledgment(
                id="Serverless-LambdaDLQ",
                reason="It is for asynchronous invocations, which the mapping's are not.",
            ),
        )
        # CDK writes the function's dependency on its role twice; cfn-lint reports that (W3005).
        cast("CfnFunction", self.function.node.default_child).add_metadata(
            "cfn-lint", {"config": {"ignore_checks": ["W3005"]}}
        )
        # No filters: a message that a filter drops is deleted without a trace.
        mapping = self.mapping = EventSourceMapping(
            self,
            "Mapping",
            target=self.function,
            event_source_arn=queues.queue.queue_arn,
            batch_size=capacity.batch_size,
            max_concurrency=capacity.concurrency,
            report_batch_item_failures=True,
        )
        Validations.of(mapping).acknowledge(
            Acknowledgment(
                id="Serverless-LambdaEventSourceMappingDestination",
                reason="Mappings of SQS queues take none: what fails goes back to its queue.",
            )
        )
