"""The real ``cdk bootstrap``, ``cdk synth`` and ``cdk deploy``, against local AWS."""

import platform
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.aws import ACCOUNT, PROGRAM_ENVIRONMENT, REGION, ROOT, LocalAws
from local.processes import ProcessGroup, lines

INSTANCE_ARN = f"arn:aws:connect:{REGION}:{ACCOUNT}:instance/11111111-2222-3333-4444-555555555555"
ARCHITECTURES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
QUIET = ["--no-notices", "--no-color"]


@dataclass(frozen=True)
class CdkApp:
    """A CDK app with one stack.

    Args:
        stack: its name; its outputs include at least ``QueueUrl``, ``DeadLetterQueueUrl`` and ``FunctionName``.
        command: synthesises it, in the project's folder.
        sources: the files and folders that decide what it synthesises, beside its context.
    """

    stack: str
    command: str
    sources: tuple[Path, ...]


def sources_in(project: Path) -> tuple[Path, ...]:
    """The sources of reply-courier's app in a copy of the project."""
    return tuple(project / name for name in ("app.py", "cdk.json", "contract", "handler", "infra", "requirements"))


REPLY_COURIER = CdkApp("reply-courier", "python app.py", sources_in(ROOT))


@dataclass(frozen=True)
class Synthesis:
    """``cdk synth`` of an app on its way; the cloud assembly will be in ``folder``."""

    app: CdkApp
    folder: Path
    process: subprocess.Popen[bytes]


def settings_for(context: Mapping[str, str]) -> dict[str, str]:
    """CDK context for a deployment on this machine: the instance's ARN and the architecture, then what is given."""
    return {"instanceArn": INSTANCE_ARN, "architecture": ARCHITECTURES[platform.machine()], **context}


def without_credentials() -> dict[str, str]:
    """The environment for a synthesis: with credentials, CDK would ask AWS for their account."""
    return {name: value for name, value in PROGRAM_ENVIRONMENT.items() if "KEY" not in name}


def synthesise(processes: ProcessGroup, folder: Path, app: CdkApp, context: Mapping[str, str]) -> Synthesis:
    """Start to synthesise an app, which takes longest and needs no AWS: the rest can start meanwhile.

    Args:
        processes: runs the command.
        folder: for the cloud assembly, which does not exist yet: two runs at once must not share one.
        app: what to synthesise.
        context: CDK context on top of the instance's ARN and this machine's architecture.
    """
    flags = [part for name, value in settings_for(context).items() for part in ("-c", f"{name}={value}")]
    command = ["cdk", "synth", "--quiet", "--app", app.command, "--output", str(folder), *flags, *QUIET]
    return Synthesis(app, folder, processes.start(command, env=with_tools(without_credentials()), cwd=ROOT))


def deploy(
    aws: LocalAws, processes: ProcessGroup, synthesis: Synthesis, print_line: Callable[[str], object]
) -> dict[str, str]:
    """Bootstrap the account and deploy what is synthesised.

    Args:
        aws: where to.
        processes: runs the commands.
        synthesis: of the app to deploy.
        print_line: is given the commands and each line of their output.

    Returns:
        The stack's outputs.

    Raises:
        RuntimeError: a command failed; its output went to ``print_line``.
    """
    environment = with_tools(aws.program_environment)

    def cdk(cwd: Path, *arguments: str) -> None:
        finish(processes.start(["cdk", *arguments, *QUIET], env=environment, cwd=cwd), print_line)

    # Bootstrapping needs no app: in a folder without cdk.json, CDK does not synthesise one.
    cdk(synthesis.folder.parent, "bootstrap", f"aws://{ACCOUNT}/{REGION}")
    finish(synthesis.process, print_line)
    # Directly: in moto a stack made by a change set has no outputs. And moto has no previous value of a default.
    options = ["--require-approval", "never", "--method", "direct", "--no-previous-parameters"]
    cdk(ROOT, "deploy", synthesis.app.stack, "--app", str(synthesis.folder), *options)
    finish_tables(aws, synthesis.app.stack)
    return outputs(aws, synthesis.app.stack)


def finish(process: subprocess.Popen[bytes], print_line: Callable[[str], object]) -> None:
    """Print a command and its output, and wait for its end.

    Raises:
        RuntimeError: it failed.
    """
    command = shlex.join(map(str, process.args))  # type: ignore[arg-type]  # always a list here
    print_line(f"$ {command}")
    for line in lines(process):
        print_line(line)
    if status := process.wait():
        raise RuntimeError(f"`{command}` failed with status {status}; its output above says why")


def with_tools(environment: Mapping[str, str]) -> dict[str, str]:
    """Take the CDK's programs from the project's own folders, and keep CDK from asking the network for news."""
    tools = [str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin"), environment.get("PATH", "")]
    return {
        **environment,
        "PATH": ":".join(tools),
        "CDK_DISABLE_VERSION_CHECK": "1",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }


def finish_tables(aws: LocalAws, stack: str) -> None:
    """Turn on what a stack's template asks of its tables and moto's CloudFormation ignores."""
    resources = aws.stacks.get_template(StackName=stack)["TemplateBody"]["Resources"]
    for deployed in aws.stacks.list_stack_resources(StackName=stack)["StackResourceSummaries"]:
        if deployed["ResourceType"] != "AWS::DynamoDB::Table":
            continue
        table, properties = deployed["PhysicalResourceId"], resources[deployed["LogicalResourceId"]]["Properties"]
        if time_to_live := properties.get("TimeToLiveSpecification"):
            aws.tables.update_time_to_live(TableName=table, TimeToLiveSpecification=time_to_live)
        if recovery := properties.get("PointInTimeRecoverySpecification"):
            aws.tables.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=recovery)


def outputs(aws: LocalAws, stack: str) -> dict[str, str]:
    """Return the outputs of a deployed stack by name."""
    described = aws.stacks.describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
