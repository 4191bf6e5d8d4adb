import io
import itertools
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from courier.aws import STACK
from local.aws import LocalAws, start_aws
from local.connect.control_client import ConnectControl
from local.function.deployed_function import DeployedFunction, fetch_function, install_runtime
from local.function.runtime_process import Surroundings
from local.processes import ProcessGroup
from local.system import LocalCourier, running
from tests.operators import Operator
from tests.settings import RUNBOOK, SHARED
from tests.system.rehearsal import Rehearsal, Rehearse, sections

TINY_FUNCTION = Path(__file__).with_name("tiny_function.py")
TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}

TIMES = itertools.count(70, 70)
"""SQS purges a queue once in 60 s: for each purge its clock is skipped further ahead."""

type DeployTiny = Callable[..., DeployedFunction]


@pytest.fixture(scope="session")
def processes() -> Iterator[ProcessGroup]:
    with ProcessGroup() as group:
        yield group


@pytest.fixture(scope="session")
def empty_aws(processes: ProcessGroup, tmp_path_factory: pytest.TempPathFactory) -> LocalAws:
    """moto without our stack, for tests of the local runtime itself."""
    aws = start_aws(processes, tmp_path_factory.mktemp("aws"))
    aws.files.create_bucket(Bucket="packages", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    iam = aws.session.client("iam", endpoint_url=aws.endpoint)
    iam.create_role(RoleName="tiny", AssumeRolePolicyDocument=json.dumps(TRUST))
    return aws


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Surroundings:
    folder = tmp_path_factory.mktemp("surroundings") / "runtime"
    install_runtime(folder)
    return Surroundings(runtime=folder, endpoints={"AWS_ENDPOINT_URL": "http://localhost:1"}, xray="127.0.0.1:2")


@pytest.fixture
def deploy_tiny(empty_aws: LocalAws, tmp_path: Path) -> DeployTiny:
    """Deploys the tiny function under a name of its own, with a boto3 of its own in the zip."""

    def deploy(name: str, *, timeout: int = 10, handler: str = "tiny_function.handle") -> DeployedFunction:
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("tiny_function.py", TINY_FUNCTION.read_text())
            archive.writestr("boto3.py", f"# the one that {name} was deployed with")
        empty_aws.files.put_object(Bucket="packages", Key=f"{name}.zip", Body=package.getvalue())
        empty_aws.functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role="arn:aws:iam::123456789012:role/tiny",
            Handler=handler,
            Timeout=timeout,
            MemorySize=256,
            Environment={"Variables": {"COLOUR": "blue"}},
            Code={"S3Bucket": "packages", "S3Key": f"{name}.zip"},
        )
        return fetch_function(empty_aws, name, tmp_path / name)

    return deploy


@pytest.fixture(scope="session")
def whole() -> Iterator[LocalCourier]:
    """reply-courier, deployed once for all tests."""
    with running(print, context=SHARED) as courier:
        yield courier


@pytest.fixture
def courier(whole: LocalCourier) -> Iterator[LocalCourier]:
    """reply-courier with empty queues. Prints what the function logged, for the check in tests/conftest.py."""
    connect = ConnectControl(whole.connect_url)
    connect.reset()
    connect.settings(rate=1000, burst=1000, create_rate=1000, create_burst=1000)
    whole.aws.skip(60)  # SQS purges a queue once in 60 s
    for url in (whole.queue_url, whole.dead_letter_queue_url):
        whole.aws.sqs.purge_queue(QueueUrl=url)  # also of what the last test received and left hidden
    logged, traced = len(whole.logs), len(whole.traces)
    yield whole
    for line in whole.logs[logged:]:
        print(line.line)
    for document in whole.traces[traced:]:
        print(json.dumps(document))


@pytest.fixture(scope="session")
def runbook_stack() -> Iterator[LocalCourier]:
    """reply-courier for rehearsals. It retries for a few seconds only, so what fails is soon dead-lettered."""
    with running(print, context=RUNBOOK) as courier:
        yield courier


@pytest.fixture
def rehearse(runbook_stack: LocalCourier, tmp_path: Path) -> Iterator[Rehearse]:
    """Begins a rehearsal on empty queues; at the end every command of the section has to have been run."""
    deployed = runbook_stack
    connect = ConnectControl(deployed.connect_url)
    connect.reset()
    connect.settings(rate=1000, burst=1000, create_rate=1000, create_burst=1000)
    deployed.sqs_faults.clear()
    deployed.poller.pause()  # a long poll would go on until the clock is where it was
    deployed.aws.skip(next(TIMES) - deployed.aws.skip(0))
    for url in (deployed.queue_url, deployed.dead_letter_queue_url):
        deployed.aws.sqs.purge_queue(QueueUrl=url)
    deployed.aws.skip(-deployed.aws.skip(0))  # back: the retry window ends by real time
    deployed.poller.resume()
    logged = len(deployed.logs)
    operator = Operator(
        deployed.aws, STACK, deployed.queue_url, deployed.dead_letter_queue_url, deployed.payload_bucket
    )
    begun: list[Rehearsal] = []

    def begin(heading: str) -> Rehearsal:
        begun.append(Rehearsal(heading, deployed, operator, tmp_path))
        return begun[-1]

    yield begin
    for line in deployed.logs[logged:]:
        print(line.line)
    for rehearsal in begun:
        assert rehearsal.ran == set(sections()[rehearsal.heading])
