"""The command `courier`: its commands and options, its exit codes, and what a person is told when AWS says no."""

import io
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError
from typer.core import TyperGroup

from courier import output
from courier.aws import STACK, Account, NotOurStackError, Queues
from courier.cli import dlq, operate
from courier.edit import EditorError
from courier.errors import explain, is_transient
from courier.interrupts import end_as_ctrl_c_does
from courier.output import EXIT_PARTIAL, EXIT_USAGE
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


def epilog(name: str) -> str | None:
    """The end of a command's help; the mark keeps the lines apart."""
    if name not in EXAMPLES:
        return None
    return "\b\nExamples:\n" + "\n".join(f"  courier {example}" for example in EXAMPLES[name])


class Courier(TyperGroup):
    """Says what went wrong and what to do, without a traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the types are private to Typer
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (BotoCoreError, ClientError) as error:
            output.fail(explain(error, ctx.obj))
            raise typer.Exit(EXIT_PARTIAL if is_transient(error) else EXIT_USAGE) from None
        except (NotOurStackError, EditorError, UnreadableError) as error:
            output.fail(str(error))
            raise typer.Exit(EXIT_USAGE) from None
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise  # whoever read our output has enough
            output.fail(f"{error.filename or 'the output'}: {error.strerror}")
            raise typer.Exit(EXIT_USAGE) from None


app = typer.Typer(
    cls=Courier,
    help="Look after the replies that reply-courier could not send.",
    epilog="Exit codes: 0 done, 1 some could not be done, 2 wrong usage or no access, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # they print local variables: replies
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


for group, commands in COMMANDS.items():
    for name, command in commands.items():
        group.command(name, epilog=epilog(name if group is app else f"dlq {name}"))(command)


def _version(asked: bool) -> None:  # noqa: FBT001 - as Typer calls it
    if not asked:
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
    queue_url: Annotated[str | None, typer.Option(help="The queue of replies, where no stack has it.")] = None,
    dead_letter_queue_url: Annotated[str | None, typer.Option(help="The dead-letter queue, in the same way.")] = None,
    payload_bucket: Annotated[str | None, typer.Option(help="The bucket of large replies, in the same way.")] = None,
    *,
    _asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Keep what every command needs to find the queues."""
    queues = None
    if queue_url and dead_letter_queue_url:
        queues = Queues(queue_url, dead_letter_queue_url, payload_bucket)
    elif queue_url or dead_letter_queue_url or payload_bucket:
        raise typer.BadParameter("--queue-url and --dead-letter-queue-url come together, --payload-bucket with them")
    context.obj = Account(stack, profile, region, endpoint_url, queues)


def main() -> NoReturn:
    """Run the command; the process ends with its exit code: 130 when it is interrupted, as by Ctrl-C."""
    end_as_ctrl_c_does()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without a character shows ? in its place
    app()
    raise AssertionError("Typer ends the process")
