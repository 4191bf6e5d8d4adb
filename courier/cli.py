"""The command `courier`: its commands and options, its exit codes, and what a person is told when AWS says no."""

import io
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError
from typer.core import TyperGroup

from courier.aws import STACK, Account, NotOurStackError, Queues
from courier.commands import doctor, pause, send, status, trace
from courier.commands.dlq import discard, edit, export_import, groups, list_letters, renew, replay, show
from courier.commands.dlq.edited_reply import EditorError
from courier.commands.options import NO_ACCESS, SOME_NOT_DONE
from courier.examples import epilog
from courier.interrupts import end_as_ctrl_c_does
from courier.payloads import UnreadableError
from courier.terminal import view
from courier.terminal.errors import explain, passes


class Courier(TyperGroup):
    """Says what went wrong and what to do, without a traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the types are private to Typer
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (BotoCoreError, ClientError) as error:
            view.fail(explain(error, ctx.obj))
            raise typer.Exit(SOME_NOT_DONE if passes(error) else NO_ACCESS) from None
        except (NotOurStackError, EditorError, UnreadableError) as error:
            view.fail(str(error))
            raise typer.Exit(NO_ACCESS) from None
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise  # whoever read our output has enough
            view.fail(f"{error.filename or 'the output'}: {error.strerror}")
            raise typer.Exit(NO_ACCESS) from None


app = typer.Typer(
    cls=Courier,
    help="Look after the replies that reply-courier could not send.",
    epilog="Exit codes: 0 done, 1 some could not be done, 2 wrong usage or no access, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # they print local variables: replies
)
dlq = typer.Typer(help="The dead-letter queue.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(dlq, name="dlq")
COMMANDS: dict[typer.Typer, dict[str, Callable[..., None]]] = {
    app: {
        "send": send.send,
        "check": send.check,
        "status": status.status,
        "pause": pause.pause,
        "resume": pause.resume,
        "trace": trace.trace,
        "doctor": doctor.doctor,
    },
    dlq: {
        "list": list_letters.list_letters,
        "groups": groups.groups,
        "show": show.show,
        "replay": replay.replay,
        "edit": edit.edit,
        "discard": discard.discard,
        "renew": renew.renew,
        "export": export_import.export,
        "import": export_import.import_letters,
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
    view.say(f"courier {installed}")
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
