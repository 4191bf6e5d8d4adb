"""The command `courier`: its commands, its exit codes, and what it says if AWS refuses a call."""

import io
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError
from typer.core import TyperGroup

from courier import output
from courier.aws import STACK, Account, Queues, StackOutputError
from courier.cli import dlq, operate
from courier.edit import EditorError
from courier.errors import explain, is_transient
from courier.interrupts import handle_signals
from courier.journal import JournalError
from courier.output import EXIT_INTERRUPTED, EXIT_PARTIAL, EXIT_USAGE
from courier.payloads import UnreadableError

EXAMPLES: dict[str, tuple[str, ...]] = {
    "send": ("send replies.jsonl --token-prefix batch-2026-11-22", "send - --token order-4711"),
    "check": ("check replies.jsonl", "check - --json"),
    "status": ("status", "status --watch"),
    "pause": ("pause",),
    "resume": ("resume",),
    "trace": ("trace 5f0c9a1e-8f0b-4f0e-9d55-3e8a0d1c2b7a", "trace order-4711 --since 2d"),
    "doctor": ("doctor", "doctor --send-test c0ffee00-0000-4711 me@example.com"),
    "dlq list": ("dlq list", "dlq list --reason NotFound --newer-than 12h --details"),
    "dlq groups": ("dlq groups", "dlq groups --older-than 5d"),
    "dlq show": ("dlq show 2f31e353-54e7-4749-890e-5b7b09f3216f",),
    "dlq replay": (
        "dlq replay --reason NotFound --dry-run",
        "dlq replay --reason RetriesExhausted --rate 2",
        "dlq replay --all --canary 5 --wait",
    ),
    "dlq edit": ("dlq edit 2f31e353-54e7-4749-890e-5b7b09f3216f",),
    "dlq discard": ('dlq discard --reason InvalidReply --because "sent by hand"',),
    "dlq renew": ("dlq renew", "dlq renew --older-than 10d"),
    "dlq export": ("dlq export letters.jsonl --reason NotFound",),
    "dlq import": ("dlq import letters.jsonl",),
}


class Courier(TyperGroup):
    """Reports errors without a traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the types are private to Typer
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (BotoCoreError, ClientError) as error:
            output.fail(str(explain(error, ctx.obj)))
            raise typer.Exit(EXIT_PARTIAL if is_transient(error) else EXIT_USAGE) from None
        except (StackOutputError, EditorError, JournalError, UnreadableError) as error:
            output.fail(str(error))
            raise typer.Exit(EXIT_USAGE) from None
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise  # the program that reads the output has ended
            output.fail(f"{error.filename or 'the output'}: {error.strerror}")
            raise typer.Exit(EXIT_USAGE) from None


app = typer.Typer(
    cls=Courier,
    help="Look after the replies that reply-courier could not send.",
    epilog="Exit codes: 0 done, 1 not all could be done, 2 wrong usage or no access, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # they print local variables, such as replies
)
dlq_app = typer.Typer(help="The dead-letter queue.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(dlq_app, name="dlq")
COMMANDS: dict[typer.Typer, dict[str, Callable[..., None]]] = {
    app: {
        "send": operate.send,
        "check": operate.check,
        "status": operate.status,
        "pause": operate.pause,
        "resume": operate.resume,
        "trace": operate.trace,
        "doctor": operate.doctor,
    },
    dlq_app: {
        "list": dlq.list_letters,
        "groups": dlq.groups,
        "show": dlq.show,
        "replay": dlq.replay,
        "edit": dlq.edit,
        "discard": dlq.discard,
        "renew": dlq.renew,
        "export": dlq.export,
        "import": dlq.import_letters,
    },
}


def _epilog(name: str) -> str:
    """The examples at the end of a command's help. Its first character keeps the lines apart."""
    return "\b\nExamples:\n" + "\n".join(f"  courier {example}" for example in EXAMPLES[name])


for group, commands in COMMANDS.items():
    for name, command in commands.items():
        group.command(name, epilog=_epilog(name if group is app else f"dlq {name}"))(command)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - as Typer calls it
    if not wanted:
        return
    try:
        installed = version("reply-courier")
    except PackageNotFoundError:
        installed = "of a checkout, not installed"
    output.say(f"courier {installed}")
    raise typer.Exit


@app.callback()
def settings(  # noqa: PLR0913, PLR0917 - the options before the command
    context: typer.Context,
    stack: Annotated[str, typer.Option(envvar="COURIER_STACK", help="The CloudFormation stack.")] = STACK,
    profile: Annotated[str | None, typer.Option(help="The AWS profile.")] = None,
    region: Annotated[str | None, typer.Option(envvar="AWS_REGION", help="The AWS Region.")] = None,
    endpoint_url: Annotated[str | None, typer.Option(help="Another address for all AWS services.")] = None,
    queue_url: Annotated[str | None, typer.Option(help="The queue of replies, if there is no stack.")] = None,
    dead_letter_queue_url: Annotated[
        str | None, typer.Option(help="The dead-letter queue, if there is no stack.")
    ] = None,
    payload_bucket: Annotated[
        str | None, typer.Option(help="The bucket of large replies, if there is no stack.")
    ] = None,
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Keep what every command needs to find the queues."""
    queues = None
    if queue_url and dead_letter_queue_url:
        queues = Queues(queue_url, dead_letter_queue_url, payload_bucket)
    elif queue_url or dead_letter_queue_url or payload_bucket:
        raise typer.BadParameter("use --queue-url and --dead-letter-queue-url together, with --payload-bucket or not")
    context.obj = Account(stack, profile, region, endpoint_url, queues)


def main() -> NoReturn:
    """Run the command; the process ends with its exit code, which is 130 after an interruption such as Ctrl-C."""
    handle_signals()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character shows ? in its place
    try:
        app()
    except KeyboardInterrupt:  # it came outside the command, where Typer doesn't handle it
        sys.exit(EXIT_INTERRUPTED)
    raise AssertionError("Typer ends the process")
