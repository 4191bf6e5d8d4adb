"""The AWS account and the stack that `courier` works on, with a client for each service."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from courier.dead_letters import DeadLetterReader
from courier.payloads import Payloads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

STACK = "reply-courier"
BOTO_CONFIG = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 4},
    user_agent_extra="reply-courier/courier",
)


class StackOutputError(Exception):
    """The stack lacks an output that `courier` needs.

    Attributes:
        problem: What is missing, in a sentence.
        next_step: What the operator can do.
    """

    def __init__(self, problem: str, next_step: str) -> None:
        super().__init__(f"{problem} {next_step}")
        self.problem = problem
        self.next_step = next_step


@dataclass(frozen=True, slots=True)
class Queues:
    """The URLs of the stack's queues, and the bucket for bodies that are larger than a message."""

    replies: str
    dead_letters: str
    payload_bucket: str | None = None


@dataclass(frozen=True)
class Account:
    """An AWS account, a Region and a stack. None means AWS's own default (environment, profile, instance).

    Every property that asks AWS raises botocore.exceptions.ClientError or BotoCoreError. Those that read an output
    also raise StackOutputError.

    Attributes:
        stack: The CloudFormation stack's name.
        profile: A profile of the AWS configuration files.
        region: An AWS Region.
        endpoint_url: Another address for all services.
        given_queues: Queues without a stack, such as those that outlive a deleted stack.
    """

    stack: str = STACK
    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    given_queues: Queues | None = None

    @cached_property
    def session(self) -> boto3.Session:
        """Credentials and Region."""
        return boto3.Session(profile_name=self.profile, region_name=self.region)

    @cached_property
    def sqs(self) -> SQSClient:
        """A client for the queues; threads may share it."""
        return self.session.client("sqs", endpoint_url=self.endpoint_url, config=BOTO_CONFIG)

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """A client for the stack."""
        return self.session.client("cloudformation", endpoint_url=self.endpoint_url, config=BOTO_CONFIG)

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        """A client for metrics and alarms."""
        return self.session.client("cloudwatch", endpoint_url=self.endpoint_url, config=BOTO_CONFIG)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """A client for the function's log and the journal."""
        return self.session.client("logs", endpoint_url=self.endpoint_url, config=BOTO_CONFIG)

    @cached_property
    def functions(self) -> LambdaClient:
        """A client for the function and its event source mapping."""
        return self.session.client("lambda", endpoint_url=self.endpoint_url, config=BOTO_CONFIG)

    @cached_property
    def payloads(self) -> Payloads:
        """The bodies in S3."""
        s3 = cache(lambda: self.session.client("s3", endpoint_url=self.endpoint_url, config=BOTO_CONFIG))
        return Payloads(self.queues.payload_bucket, s3)

    @cached_property
    def caller(self) -> str:
        """The last part of the operator's ARN, such as assumed-role/Operator/ada."""
        sts = self.session.client("sts", endpoint_url=self.endpoint_url, config=BOTO_CONFIG)
        return sts.get_caller_identity()["Arn"].split(":", 5)[-1]

    @cached_property
    def queues(self) -> Queues:
        """The queues that the operator gave, else the stack's."""
        return self.given_queues or queues_of(self._described)

    @cached_property
    def stack_status(self) -> str:
        """The stack's status, as CloudFormation names it."""
        return self._described["StackStatus"]

    def dead_letters(self, *, rate: float | None = None, read_payloads: bool = False) -> DeadLetterReader:
        """A reader of the dead-letter queue; see DeadLetterReader for the options."""
        return DeadLetterReader(
            self.sqs, self.queues.dead_letters, payloads=self.payloads, rate=rate, read_payloads=read_payloads
        )

    def output(self, name: str) -> str:
        """Return the stack output with this name."""
        if value := _outputs(self._described).get(name):
            return value
        raise StackOutputError(
            f"The stack {self.stack} has no output '{name}'.",
            "Deploy it again if it is an older one of ours, or name the right stack with --stack.",
        )

    def known_output(self, name: str) -> str | None:
        """Return the stack output with this name; None without a stack, or if an older stack lacks the output."""
        return None if self.given_queues else _outputs(self._described).get(name)

    @cached_property
    def _described(self) -> StackTypeDef:
        (stack,) = self.cloudformation.describe_stacks(StackName=self.stack)["Stacks"]
        return stack


def queues_of(stack: StackTypeDef) -> Queues:
    """Return the queues among a stack's outputs.

    Raises:
        StackOutputError: The stack does not name them.
    """
    outputs = _outputs(stack)
    try:
        return Queues(outputs["QueueUrl"], outputs["DeadLetterQueueUrl"], outputs.get("PayloadBucketName"))
    except KeyError as error:
        raise StackOutputError(
            f"The stack {stack['StackName']} ({stack['StackStatus']}) has no output {error}: it is not a stack of "
            "reply-courier, or its deployment did not finish.",
            "Name the right stack with --stack.",
        ) from None


def _outputs(stack: StackTypeDef) -> Mapping[str, str]:
    return {
        output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", []) if "OutputValue" in output
    }
