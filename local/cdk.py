"""The real ``cdk bootstrap`` and ``cdk deploy``, against local AWS."""

import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.aws import ACCOUNT, REGION, ROOT, LocalAws
from local.processes import ProcessGroup, lines

INSTANCE_ARN = f"arn:aws:connect:{REGION}:{ACCOUNT}:instance/11111111-2222-3333-4444-555555555555"
ARCHITECTURES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class CdkApp:
    """A CDK app with one stack.

    Args:
        stack: its name; its outputs name at least ``QueueUrl``, ``DeadLetterQueueUrl`` and ``FunctionName``.
        command: synthesises it; run in the project's folder.
    """

    stack: str
    command: str


REPLY_COURIER = CdkApp("reply-courier", "python app.py")


def deploy(  # noqa: PLR0913 - where to, how and what: all are needed
    aws: LocalAws,
    processes: ProcessGroup,
    folder: Path,
    say: Callable[[str], object],
    *,
    app: CdkApp,
    context: Mapping[str, str],
) -> dict[str, str]:
    """Bootstrap the account and deploy a stack.

    Args:
        aws: where to.
        processes: runs the commands.
        folder: for the cloud assembly, so that two runs at once do not share one.
        say: is given the commands and each line of their output.
        app: what to deploy.
        context: CDK context on top of the instance's ARN and this machine's architecture.

    Returns:
        The stack's outputs.

    Raises:
        RuntimeError: a command failed; what it said went to ``say``.
    """
    settings = {"instanceArn": INSTANCE_ARN, "architecture": ARCHITECTURES[platform.machine()], **context}
    flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def cdk(cwd: Path, *arguments: str) -> None:
        command = ["cdk", *arguments, "--no-notices", "--no-color"]
        say(f"$ {' '.join(command)}")
        process = processes.start(command, env=environment(aws), cwd=cwd)
        for line in lines(process):
            say(line)
        if status := process.wait():
            raise RuntimeError(f"cdk {arguments[0]} failed with status {status}; its output above says why")

    # Bootstrapping needs no app: started where there is no cdk.json it does not synthesise one.
    cdk(folder, "bootstrap", f"aws://{ACCOUNT}/{REGION}")
    # Directly: in moto a stack made by a change set has no outputs.
    options = ["--require-approval", "never", "--method", "direct", "--output", str(folder / "cdk.out")]
    cdk(ROOT, "deploy", app.stack, "--app", app.command, *options, *flags)
    return outputs(aws, app.stack)


def environment(aws: LocalAws) -> dict[str, str]:
    """Take the CDK's programs from the project's own folders, and keep it from asking the network for news."""
    base = aws.program_environment
    tools = [str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin"), base.get("PATH", "")]
    return {**base, "PATH": ":".join(tools), "CDK_DISABLE_VERSION_CHECK": "1", "CDK_DISABLE_CLI_TELEMETRY": "true"}


def outputs(aws: LocalAws, stack: str) -> dict[str, str]:
    """Return the outputs of a deployed stack by name."""
    described = aws.stacks.describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
