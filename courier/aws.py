"""The AWS account that the stack is in, and the stack's queues, found by its outputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

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


class NotOurStackError(Exception):
    """The stack has no queues of ours among its outputs; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Queues:
    """The stack's queues, by their URLs, and the bucket for bodies that are larger than a message."""

    replies: str
    dead_letters: str
    payload_bucket: str | None = None


@dataclass(frozen=True)
class Account:
    """Who asks, where, and for which stack; None is AWS's usual setting (environment, profile, instance).

    Attributes:
        stack: The CloudFormation stack's name.
        profile: A profile of the AWS configuration files.
        region: An AWS Region.
        endpoint_url: Another address for all services.
        given_queues: Queues that no stack has: what stays when a stack is deleted.
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
        """The client of the queues; threads may share it."""
        return self.session.client("sqs", endpoint_url=self.endpoint_url, config=BOTO_CONFIG)

    @cached_property
    def payloads(self) -> Payloads:
        """The bodies in S3."""
        return Payloads(
            self.queues.payload_bucket,
            cache(lambda: self.session.client("s3", endpoint_url=self.endpoint_url, config=BOTO_CONFIG)),
        )

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        """The client of the metrics."""
        return self.session.client("cloudwatch", endpoint_url=self.endpoint_url, config=BOTO_CONFIG)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """The client of the function's log."""
        return self.session.client("logs", endpoint_url=self.endpoint_url, config=BOTO_CONFIG)

    @cached_property
    def functions(self) -> LambdaClient:
        """The client of the function and its event source mapping."""
        return self.session.client("lambda", endpoint_url=self.endpoint_url, config=BOTO_CONFIG)

    @cached_property
    def caller(self) -> str:
        """Who asks, as AWS knows them: the last part of their ARN, such as assumed-role/Operator/ada.

        Raises:
            botocore.exceptions.ClientError, BotoCoreError: AWS does not tell.
        """
        sts = self.session.client("sts", endpoint_url=self.endpoint_url, config=BOTO_CONFIG)
        return sts.get_caller_identity()["Arn"].split(":", 5)[-1]

    @cached_property
    def queues(self) -> Queues:
        """The queues that were given, else the stack's.

        Raises:
            NotOurStackError: It is another one's stack.
            botocore.exceptions.ClientError, BotoCoreError: CloudFormation does not tell.
        """
        return self.given_queues or queues_of(self._described)

    @cached_property
    def log_group(self) -> str:
        """The log group of the stack's function.

        Raises:
            NotOurStackError: It is another one's stack, or an old one of ours.
            botocore.exceptions.ClientError, BotoCoreError: CloudFormation does not tell.
        """
        return self.output("LogGroupName")

    @property
    def stack_status(self) -> str:
        """The stack's status, as CloudFormation names it.

        Raises:
            botocore.exceptions.ClientError, BotoCoreError: CloudFormation does not tell.
        """
        return self._described["StackStatus"]

    def output(self, name: str) -> str:
        """What the stack names so.

        Raises:
            NotOurStackError: It is another one's stack, or an old one of ours.
            botocore.exceptions.ClientError, BotoCoreError: CloudFormation does not tell.
        """
        return output_of(self._described, name)

    def known_output(self, name: str) -> str | None:
        """What the stack names so; None for queues that no stack has, and for an old stack.

        Raises:
            botocore.exceptions.ClientError, BotoCoreError: CloudFormation does not tell.
        """
        return None if self.given_queues else _outputs(self._described).get(name)

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """The client of the stack."""
        return self.session.client("cloudformation", endpoint_url=self.endpoint_url, config=BOTO_CONFIG)

    @cached_property
    def _described(self) -> StackTypeDef:
        (stack,) = self.cloudformation.describe_stacks(StackName=self.stack)["Stacks"]
        return stack


def queues_of(stack: StackTypeDef) -> Queues:
    """The queues in a stack's outputs.

    Raises:
        NotOurStackError: They are not there.
    """
    outputs = _outputs(stack)
    try:
        return Queues(outputs["QueueUrl"], outputs["DeadLetterQueueUrl"], outputs.get("PayloadBucketName"))
    except KeyError as error:
        text = (
            f"The stack {stack['StackName']} ({stack['StackStatus']}) has no output {error}: it is another stack, "
            "or its deployment did not end. Name the right one with --stack."
        )
        raise NotOurStackError(text) from None


def output_of(stack: StackTypeDef, name: str) -> str:
    """A stack's output.

    Raises:
        NotOurStackError: It is not there.
    """
    if value := _outputs(stack).get(name):
        return value
    raise NotOurStackError(
        f"The stack {stack['StackName']} has no output '{name}': it is another stack, or one that was deployed before "
        "courier could do this. Deploy it again, or name the right one with --stack."
    )


def _outputs(stack: StackTypeDef) -> Mapping[str, str]:
    return {
        output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", []) if "OutputValue" in output
    }
