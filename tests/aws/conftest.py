"""The function against moto's AWS and the emulated Connect, both over real HTTP: what reaches them is asserted."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field, replace
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from handler.drafts import Drafts
from handler.pacer import Pacer
from handler.services.contacts import Contacts
from handler.services.table import DraftTable
from local.aws import LocalAws, start_aws
from local.connect.control_client import ConnectControl
from local.function.sqs_event import record_of
from local.processes import ProcessGroup
from local.sqs_faults import SqsFaults
from tests.conftest import leaks
from tests.fakes.function import FakeClock, changed
from tests.operators import Operator, operator_of_a_new_stack
from tests.samples import FUNCTION_ENVIRONMENT, INSTANCE_ARN, QUEUE_ARN, REGION, event, long_names, reply, short_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_connect import ConnectClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient


QUEUES = ("replies", "dead-letters")
TABLE = "drafts"


@dataclass
class Context:
    """The part of Lambda's context that the function uses."""

    remaining: Callable[[], float]
    function_name: str = "reply-courier"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:reply-courier"
    aws_request_id: str = "invocation-1"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.remaining() * 1000)


@dataclass
class Courier:
    """The function with its queues and its table, as a test sees it.

    Attributes:
        faults: Strike the function's calls to DynamoDB.
        draft_clients: The function's clients for CreateContact, for the other calls about drafts, and for its table.
    """

    app: Any
    sqs: SQSClient
    tables: DynamoDBClient
    faults: SqsFaults
    draft_clients: tuple[ConnectClient, ConnectClient, DynamoDBClient]
    queue_url: str
    dead_letter_queue_url: str
    output: io.StringIO = field(default_factory=io.StringIO)
    clock: FakeClock = field(default_factory=FakeClock)

    def invoke(self, records: dict[str, Any], *, seconds_left: float = 600) -> list[str]:
        """Run the Lambda handler on an event; return the message ids that it reports as failed."""
        ends = self.clock.now + seconds_left
        with contextlib.redirect_stdout(self.output):
            answer = self.app.lambda_handler(records, Context(lambda: ends - self.clock.now))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def put(self, body: Any = None, **attributes: str) -> str:
        """Put a message on the queue; return its id."""
        body = reply() if body is None else body
        return self.sqs.send_message(
            QueueUrl=self.queue_url,
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageAttributes={n: {"DataType": "String", "StringValue": v} for n, v in long_names(attributes).items()},
        )["MessageId"]

    def receive(self) -> list[dict[str, Any]]:
        """Receive what is visible on the queue, as the records that Lambda makes of it."""
        received = self.sqs.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        return [record_of(message, QUEUE_ARN) for message in received.get("Messages", [])]

    def receive_and_invoke(self) -> list[str]:
        return self.invoke(event(*self.receive()))

    @property
    def items(self) -> list[dict[str, Any]]:
        """Everything in the table of drafts: attributes by name."""
        items = self.tables.scan(TableName=TABLE, ConsistentRead=True)["Items"]
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in items]

    @property
    def dead_letters(self) -> list[dict[str, Any]]:
        """Everything on the dead-letter queue: body, and attributes by name."""
        letters: list[dict[str, Any]] = []
        while received := self.sqs.receive_message(
            QueueUrl=self.dead_letter_queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            letters += [
                {
                    "body": message["Body"],
                    **{
                        name: value.get("StringValue", value.get("BinaryValue"))
                        for name, value in short_names(message["MessageAttributes"]).items()
                    },
                }
                for message in received
            ]
        return letters

    @property
    def printed(self) -> list[dict[str, Any]]:
        """The function's output, each line JSON: logs and metrics."""
        return [json.loads(line) for line in self.output.getvalue().splitlines()]

    @property
    def log(self) -> list[dict[str, Any]]:
        return [line for line in self.printed if "message" in line]

    @property
    def metrics(self) -> dict[str, float]:
        """Metric values, summed by name; a reason stands behind the name."""
        totals: dict[str, float] = {}
        for blob in (line for line in self.printed if "_aws" in line):
            for metric in blob["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
                name = ".".join(filter(None, [metric["Name"], blob.get("reason")]))
                value = blob[metric["Name"]]
                totals[name] = totals.get(name, 0) + sum(value if isinstance(value, list) else [value])
        return totals


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """moto, whose clock for SQS skips ahead instead of waiting."""
    with ProcessGroup() as processes:
        yield start_aws(processes, tmp_path_factory.mktemp("aws"), "--skip-waits")


@pytest.fixture
def operator(aws: LocalAws) -> Iterator[Operator]:
    """An operator whose journal has nothing personal at the end."""
    aws.skip(-aws.skip(0))  # back to the time that it is
    operator = operator_of_a_new_stack(aws)
    yield operator
    assert leaks(json.dumps(operator.journal())) == []


@pytest.fixture(scope="session")
def connect_url() -> Iterator[str]:
    program = subprocess.Popen(
        [sys.executable, "-m", "local.connect", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    with program:
        yield program.stdout.readline().split()[-1]
        program.terminate()


@pytest.fixture(scope="session")
def table_faults(aws: LocalAws) -> Iterator[SqsFaults]:
    with SqsFaults(aws.endpoint, Random(1)) as faults:
        yield faults


@pytest.fixture(scope="session")
def deployed(aws: LocalAws, connect_url: str, table_faults: SqsFaults) -> Courier:
    """The function's module, imported once with the environment that the stack would set."""
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
    endpoints = {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_ENDPOINT_URL_CONNECT": connect_url,
        "AWS_ENDPOINT_URL_DYNAMODB": table_faults.url,
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in (credentials | endpoints).items():
            environment.setenv(name, value)
        sqs = boto3.client("sqs")
        queue_url, dead_letter_queue_url = (sqs.create_queue(QueueName=queue)["QueueUrl"] for queue in QUEUES)
        settings = {
            **FUNCTION_ENVIRONMENT,
            "QUEUE_URL": queue_url,
            "DEAD_LETTER_QUEUE_URL": dead_letter_queue_url,
            "DRAFT_TABLE": TABLE,
        }
        for name, value in settings.items():
            environment.setenv(name, value)
        app = importlib.import_module("handler.app")
        app.delivery.sqs()  # made here, with this environment
        draft_clients = app.draft_clients()
    return Courier(app, sqs, aws.tables, table_faults, draft_clients, queue_url, dead_letter_queue_url)


@pytest.fixture
def connect(connect_url: str) -> ConnectControl:
    emulated = ConnectControl(connect_url)
    emulated.reset()
    emulated.settings(rate=1000, burst=1000, create_rate=1000, create_burst=1000)
    emulated.draft(*(f"contact-{n}" for n in range(1, 21)))
    return emulated


def create_table(tables: DynamoDBClient) -> None:
    tables.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "TokenHash", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "TokenHash", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def new_drafts(courier: Courier, pacer: Pacer, now: Callable[[], float] = time.time) -> Drafts:
    """The drafts of a new execution environment."""
    creating, asking, dynamodb = courier.draft_clients
    return Drafts(
        table=DraftTable(TABLE, dynamodb, now),
        contacts=Contacts(INSTANCE_ARN, creating, asking),
        pacer=pacer,
        observability=courier.app.observability,
        retry_seconds=courier.app.settings.retry_seconds,
        now=now,
        rng=SystemRandom(),
    )


@pytest.fixture
def courier(deployed: Courier, connect: ConnectControl, aws: LocalAws) -> Iterator[Courier]:  # noqa: ARG001 - reset for each test
    aws.skip(-aws.skip(0))
    urllib.request.urlopen(f"{aws.endpoint}/moto-api/reset", data=b"").close()
    for queue in QUEUES:
        deployed.sqs.create_queue(QueueName=queue)
    create_table(deployed.tables)
    deployed.faults.clear()
    fresh = replace(deployed, output=io.StringIO(), clock=FakeClock())
    for handler in deployed.app.logger.handlers:
        handler.setStream(fresh.output)
    deployed.app.metrics.clear_metrics()  # Powertools keeps what others in this process have counted
    # A new environment for each test, on a clock that passes only when it waits for its turn.
    pacer = Pacer(1000, 1, fresh.clock, fresh.clock.sleep)
    drafts = new_drafts(fresh, pacer)
    deployed.app.delivery = changed(deployed.app.delivery, pacer=pacer, drafts=lambda: drafts)
    yield fresh
    print(fresh.output.getvalue())  # for the check of tests/conftest.py, and for whoever reads a failed test
