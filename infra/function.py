"""The function, its log group, and the event source mapping that invokes it with messages from the queue."""

from pathlib import Path
from typing import cast

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk.aws_dynamodb import ITable
from aws_cdk.aws_kms import IKey
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

from infra.capacity import Capacity
from infra.permissions import function_role
from infra.queues import Queues
from infra.settings import Settings

MEMORY_MB = 256
NAMESPACE = "ReplyCourier"  # of the metrics that the function writes
ARCHITECTURES = {"arm64": Architecture.ARM_64, "x86_64": Architecture.X86_64}


class ReplyFunction(Construct):
    """The function that sends the replies on the queue.

    Args:
        scope: The construct that contains this one.
        construct_id: Its id there.
        name: The `service` in the function's metrics and traces.
        settings: The choices of this deployment.
        capacity: The numbers derived from them.
        queues: The queue of replies and the dead-letter queue.
        payloads: The bucket for bodies that are too large for a message.
        drafts: The table of the drafts that the function makes.
        key: The KMS key for the log, or None.
        code: The folder to deploy.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        settings: Settings,
        capacity: Capacity,
        queues: Queues,
        payloads: IBucket,
        drafts: ITable,
        key: IKey | None,
        code: Path,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_group = LogGroup(
            self, "Log", encryption_key=key, removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        )
        # LogGroup takes an enum; the setting is the number of days.
        cast("CfnLogGroup", self.log_group.node.default_child).retention_in_days = settings.log_retention_days
        self.function = Function(
            self,
            "Function",
            description="Sends email replies from the queue through Amazon Connect",
            runtime=Runtime.PYTHON_3_13,
            architecture=ARCHITECTURES[settings.architecture],
            handler="handler.app.lambda_handler",
            code=Code.from_asset(str(code)),
            role=function_role(
                self, settings=settings, queues=queues, payloads=payloads, drafts=drafts, log_group=self.log_group
            ),
            timeout=Duration.seconds(capacity.function_timeout),
            # The largest reply needs 190 MiB in all during its call (bench/results/start.md). More memory would buy
            # processor time, billed by the second, for a function that mostly waits for Connect and its pace.
            memory_size=MEMORY_MB,
            tracing=Tracing.ACTIVE,
            log_group=self.log_group,
            # Makes JSON of Lambda's own lines, too. Powertools' lines and metrics are JSON and pass unchanged.
            logging_format=LoggingFormat.JSON,
            # Metrics are lines of this level: with WARN, Lambda would drop them.
            application_log_level_v2=ApplicationLogLevel.INFO,
            environment={
                "CONNECT_INSTANCE_ARN": settings.instance_arn,
                "QUEUE_URL": queues.queue.queue_url,
                "DEAD_LETTER_QUEUE_URL": queues.dead_letters.queue_url,
                "PAYLOAD_BUCKET": payloads.bucket_name,
                "DRAFT_TABLE": drafts.table_name,
                "EVENT_BUS_NAME": settings.event_bus_name or "",
                "SEND_RATE_SHARE": str(capacity.share),
                "BURST_SHARE": str(capacity.burst),
                "RETRY_SECONDS": str(capacity.retry_seconds),
                "MAX_RECEIVES": str(capacity.max_receives),
                "CRASH_LOOP_SECONDS": str(capacity.crash_loop_seconds),
                "RETENTION_SECONDS": str(capacity.retention_seconds),
                # Returns the memory of a large reply to the system. By default, glibc's allocator learns to keep it, in
                # more and more pieces: 410 MiB after twenty replies (M_MMAP_THRESHOLD in mallopt(3)).
                "MALLOC_MMAP_THRESHOLD_": str(2**20),
                "ALLOWED_RECIPIENTS": " ".join(settings.allowed_recipients),
                "POWERTOOLS_SERVICE_NAME": name,
                "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
            },
        )
        supported = "The lock, the bytecode and the tests are for Python 3.13. Lambda supports it until 2029."
        Validations.of(self.function).acknowledge(
            Acknowledgment(id="AwsSolutions-L1", reason=supported),
            Acknowledgment(id="Serverless-LambdaLatestVersion", reason=supported),
            Acknowledgment(
                id="Serverless-LambdaDLQ",
                reason="A function's own dead-letter queue is for asynchronous invocations. The mapping's are not.",
            ),
        )
        # CDK writes the function's dependency on its role twice; cfn-lint reports that (W3005).
        cast("CfnFunction", self.function.node.default_child).add_metadata(
            "cfn-lint", {"config": {"ignore_checks": ["W3005"]}}
        )
        # No filters: Lambda deletes a message that a filter drops, without a trace.
        self.mapping = EventSourceMapping(
            self,
            "Mapping",
            target=self.function,
            event_source_arn=queues.queue.queue_arn,
            batch_size=capacity.batch_size,
            max_concurrency=capacity.concurrency,
            report_batch_item_failures=True,
        )
        Validations.of(self.mapping).acknowledge(
            Acknowledgment(
                id="Serverless-LambdaEventSourceMappingDestination",
                reason="Mappings of SQS queues support no destination. Failed messages return to their queue.",
            )
        )
