"""How to reach local AWS: an environment for programs, clients for Python."""

import json
import os
import urllib.request
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
import botocore.session

from local.processes import ProcessGroup

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

ROOT = Path(__file__).parent.parent
REGION: Final = "eu-central-1"
ACCOUNT = "123456789012"
"""The account that moto pretends to be."""

PROGRAM_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))} | {
    # Nothing that runs here may use the AWS accounts, profiles or endpoints of whoever owns this machine.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}
"""What a program on this machine needs to use local AWS, except the endpoint."""


@dataclass(frozen=True)
class LocalAws:
    """moto's server at ``endpoint``."""

    endpoint: str

    @property
    def program_environment(self) -> dict[str, str]:
        """The environment for a program that uses this AWS, such as the CDK command line."""
        return {**PROGRAM_ENVIRONMENT, "AWS_ENDPOINT_URL": self.endpoint}

    @cached_property
    def session(self) -> boto3.Session:
        """A session that ignores the machine's own AWS profiles."""
        ours = botocore.session.Session(
            session_vars={
                "profile": (None, None, None, None),
                "config_file": (None, None, os.devnull, None),
                "credentials_file": (None, None, os.devnull, None),
            }
        )
        return boto3.Session("local", "local", region_name=REGION, botocore_session=ours)

    @cached_property
    def sqs(self) -> "SQSClient":
        """The queues."""
        return self.session.client("sqs", endpoint_url=self.endpoint)

    @cached_property
    def functions(self) -> "LambdaClient":
        """The deployed functions and their event source mappings."""
        return self.session.client("lambda", endpoint_url=self.endpoint)

    @cached_property
    def stacks(self) -> "CloudFormationClient":
        """The deployed stacks."""
        return self.session.client("cloudformation", endpoint_url=self.endpoint)

    @cached_property
    def files(self) -> "S3Client":
        """The buckets, among them the one with the deployed zips."""
        return self.session.client("s3", endpoint_url=self.endpoint)

    @cached_property
    def tables(self) -> "DynamoDBClient":
        """The tables."""
        return self.session.client("dynamodb", endpoint_url=self.endpoint)

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        """The log groups."""
        return self.session.client("logs", endpoint_url=self.endpoint)

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """The metrics, and the stacks' alarms."""
        return self.session.client("cloudwatch", endpoint_url=self.endpoint)

    def skip(self, seconds: float) -> float:
        """Skip SQS's clock ahead: delays and visibility timeouts within these seconds end (sqs/clock.py).

        A negative number skips it back: what is put then is so much older afterwards. Returns how far it is ahead.
        """
        body = json.dumps({"seconds": seconds}).encode()
        request = urllib.request.Request(f"{self.endpoint}/_local/skip", body, method="POST")
        with urllib.request.urlopen(request) as answer:
            return float(json.load(answer)["ahead"])


def start_aws(processes: ProcessGroup, folder: Path, *options: str) -> LocalAws:
    """Start moto's server with nothing in it; its log goes to ``folder``, and the options are moto/server.py's."""
    log = folder / "moto.log"
    environment = {**PROGRAM_ENVIRONMENT, "MOTO_RECORDER_FILEPATH": str(folder / "requests")}
    return LocalAws(processes.start_server("local.moto.server", *options, env=environment, cwd=ROOT, log=log))
