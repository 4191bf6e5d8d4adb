"""Everything on this machine: AWS, Connect, the deployed function and what invokes it."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from local.assembly import cached_assembly, deploy_assembly
from local.aws import PROGRAM_ENVIRONMENT, ROOT, LocalAws, start_aws
from local.cdk import REPLY_COURIER, CdkApp, deploy, synthesise
from local.function.deployed_function import (
    DeployedFunction,
    DeploymentWatch,
    deployed_log_format,
    fetch_function,
    install_runtime,
)
from local.function.event_source_mapping import Environment, Poller, deployed_mapping
from local.function.execution_environment import ExecutionEnvironment, LogLine
from local.function.runtime_process import Surroundings
from local.function.xray_daemon import XRayDaemon
from local.log_group import LogGroup
from local.processes import ProcessGroup
from local.sqs_faults import SqsFaults


class Ports(NamedTuple):
    """Where AWS and Connect listen; 0 is any free port."""

    aws: int = 0
    connect: int = 0


ANY_PORTS = Ports()


@dataclass(frozen=True)
class LocalCourier:
    """reply-courier (or the app it is compared with), deployed and running.

    Args:
        aws: clients for the queues and everything else.
        connect_url: the emulated Connect: its API, its control calls and its page.
        queue_url: where replies are put.
        dead_letter_queue_url: where those that could not be sent wait.
        payload_bucket: where the bodies are that are larger than a message; empty if the app has none.
        draft_table: knows the drafts of replies; empty if the app has none.
        function: as deployed.
        watch: knows its current variables.
        sqs_faults: faults between the function and SQS, the event bus or DynamoDB; they strike neither poller nor
            the clients of ``aws``.
        environments: to crash the function, ``kill`` one.
        poller: invokes the function; can be paused.
        logs: every line so far.
        traces: every X-Ray document so far.
        log_group: where the lines go as well; None for an app without the output ``LogGroupName``.
    """

    aws: LocalAws
    connect_url: str
    queue_url: str
    dead_letter_queue_url: str
    payload_bucket: str
    draft_table: str
    function: DeployedFunction
    watch: DeploymentWatch
    sqs_faults: SqsFaults
    environments: Sequence[ExecutionEnvironment]
    poller: Poller
    logs: list[LogLine]
    traces: list[dict[str, Any]]
    log_group: LogGroup | None


@contextmanager
def running(  # noqa: PLR0913 - all but the first by name
    print_line: Callable[[str], object],
    print_log: Callable[[LogLine], object] = lambda _line: None,
    *,
    context: Mapping[str, str] | None = None,
    around: Callable[[ExecutionEnvironment], Environment] = lambda environment: environment,
    app: CdkApp = REPLY_COURIER,
    beside: LocalCourier | None = None,
    answers: Path | None = None,
    ports: Ports = ANY_PORTS,
    with_cdk: bool = False,
) -> Iterator[LocalCourier]:
    """Start everything afresh, and stop it at the end.

    Args:
        print_line: is given the output of CDK's command line, line by line.
        print_log: is given each log line at once.
        context: CDK context for the deployment, such as ``{"sendRate": "5"}``.
        around: wraps each execution environment, for tests that interfere.
        app: what to deploy, for comparisons of this project with another.
        answers: a file of ``courier doctor --send-test``; Connect answers as it did there.
        ports: where AWS and Connect listen.
        with_cdk: deploy with CDK's command line, as platform engineers do, and not through CloudFormation's API.
        beside: another stack, in whose AWS this one is deployed, and whose Connect it uses.
    """
    logs: list[LogLine] = []
    traces: list[dict[str, Any]] = []

    log_group: LogGroup | None = None

    def log(line: LogLine) -> None:
        logs.append(line)
        if log_group:
            log_group.put(line.line)
        print_log(line)

    with ExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="reply-courier-")))
        processes = started.enter_context(ProcessGroup())
        synthesis = synthesise(processes, folder / "cdk.out", app, context or {}) if with_cdk else None
        xray = started.enter_context(XRayDaemon(traces.append))
        connect_url = beside.connect_url if beside else start_connect(processes, folder, answers, ports.connect)
        aws = beside.aws if beside else start_aws(processes, folder, "--port", str(ports.aws))
        if synthesis:
            outputs = deploy(aws, processes, synthesis, print_line)
        else:
            outputs = deploy_assembly(aws, cached_assembly(app, context or {}), app.stack)

        if name := outputs.get("LogGroupName"):
            log_group = started.enter_context(LogGroup(aws.logs, name, aws.cloudwatch, outputs["FunctionName"]))
        log_format = deployed_log_format(aws, app.stack)
        function = fetch_function(aws, outputs["FunctionName"], folder / "task", log_format)
        install_runtime(folder / "runtime")
        sqs_faults = started.enter_context(SqsFaults(aws.endpoint, Random(0)))
        endpoints = {
            "AWS_ENDPOINT_URL": aws.endpoint,
            "AWS_ENDPOINT_URL_CONNECT": connect_url,
            "AWS_ENDPOINT_URL_SQS": sqs_faults.url,
            "AWS_ENDPOINT_URL_EVENTBRIDGE": sqs_faults.url,
            "AWS_ENDPOINT_URL_DYNAMODB": sqs_faults.url,
        }
        surroundings = Surroundings(folder / "runtime", endpoints, xray.address)
        mapping = deployed_mapping(aws, function.name)
        watch = DeploymentWatch(aws, function, mapping.uuid)
        environments = [
            ExecutionEnvironment(f"environment-{n}", watch.function, surroundings, processes, log)
            for n in range(1, mapping.maximum_concurrency + 1)
        ]
        for environment in environments:
            started.callback(environment.close)
        wrapped = [around(environment) for environment in environments]
        poller = started.enter_context(Poller(mapping, aws, watch, wrapped))
        yield LocalCourier(
            aws=aws,
            connect_url=connect_url,
            queue_url=outputs["QueueUrl"],
            dead_letter_queue_url=outputs["DeadLetterQueueUrl"],
            payload_bucket=outputs.get("PayloadBucketName", ""),
            draft_table=outputs.get("DraftTableName", ""),
            function=function,
            watch=watch,
            sqs_faults=sqs_faults,
            environments=environments,
            poller=poller,
            logs=logs,
            traces=traces,
            log_group=log_group,
        )


def start_connect(processes: ProcessGroup, folder: Path, answers: Path | None = None, port: int = 0) -> str:
    """Start the emulated Connect, and return its address; its log goes to ``folder``.

    With ``answers``, a file of ``courier doctor --send-test``, it answers as the real one did there.
    """
    log = folder / "connect.log"
    options = ["--answers", str(answers.resolve())] if answers else []
    options += ["--port", str(port)]
    return processes.start_server("local.connect", *options, env=PROGRAM_ENVIRONMENT, cwd=ROOT, log=log)
