"""The options that several commands share."""

import difflib
import re
from collections.abc import Sequence
from typing import Annotated

import typer

from contract.dead_letter import Reason
from courier.aws import Account
from courier.dead_letters import MOVED_BY_SQS
from courier.output import UNITS
from courier.selection import Filters

REASONS = (*Reason, MOVED_BY_SQS)
_DURATION = re.compile(r"(\d{1,6})([smhd])")


def parse_duration(text: str) -> float:
    """Read a duration, such as 90s, 15m, 12h or 7d; return seconds.

    Raises:
        typer.BadParameter: It is not a duration.
    """
    if (parts := _DURATION.fullmatch(text)) is None:
        error = f"{text!r} is not a duration: write a number and s, m, h or d, such as 90s, 15m, 12h or 7d"
        raise typer.BadParameter(error)
    return int(parts[1]) * UNITS[parts[2]]


def _reason(text: str) -> str:
    if text in REASONS:
        return text
    by_lower_case = {reason.lower(): reason for reason in REASONS}
    nearest = difflib.get_close_matches(text.lower(), by_lower_case, n=1, cutoff=0)[0]
    raise typer.BadParameter(f"{text!r} is not a reason. The nearest is {by_lower_case[nearest]}.")


def _complete_reason(incomplete: str) -> list[str]:
    return [reason for reason in REASONS if reason.startswith(incomplete)]


Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID", help="Message ids, as `dlq list` shows them.", show_default=False),
]
OneId = Annotated[str, typer.Argument(metavar="ID", help="The message id, as `dlq list` shows it.")]
Reasons = Annotated[
    list[str] | None,
    typer.Option(
        "--reason",
        metavar="REASON",
        parser=_reason,
        autocompletion=_complete_reason,
        help="Letters with this reason; repeat it for more.",
    ),
]
Contacts = Annotated[
    list[str] | None,
    typer.Option("--contact", metavar="ID", help="Letters with this ContactId; repeat it for more."),
]
OlderThan = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="AGE", help="Letters older than AGE, such as 90s, 15m, 12h or 7d."),
]
NewerThan = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="AGE", help="Letters newer than AGE, such as 90s, 15m, 12h or 7d."),
]
Since = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="TIME", help="How much of the log to search, such as 2h; default 14d."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Maximum number of letters.")]
All = Annotated[bool, typer.Option("--all", help="All letters; required without ids and filters.")]
Rate = Annotated[float | None, typer.Option(min=0.1, help="Maximum letters per second.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until each reply is sent or comes back, and report it.")]
Timeout = Annotated[
    float | None, typer.Option(parser=parse_duration, metavar="TIME", help="The longest wait; default 15m.")
]
NoJournal = Annotated[
    bool, typer.Option("--no-journal", help="Where the journal is required, go on even if it can't be written.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Skip the prompt.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, an object per line.")]


def make_filters(
    ids: Sequence[str] | None = None,
    reasons: Sequence[str] | None = None,
    contacts: Sequence[str] | None = None,
    older_than: float | None = None,
    newer_than: float | None = None,
) -> Filters:
    """The filters from a command's options."""
    return Filters(
        ids=frozenset(ids or ()),
        reasons=frozenset(reasons or ()),
        contacts=frozenset(contacts or ()),
        older_than=older_than,
        newer_than=newer_than,
    )


def require_selection(filters: Filters, limit: int | None, *, every: bool) -> None:
    """Check that an operator who selects no letters passes `--all`.

    Raises:
        typer.BadParameter: They did neither, or both.
    """
    selects = limit is not None or filters != Filters()
    if not selects and not every:
        raise typer.BadParameter("select letters by ids, a filter or --limit; or use --all")
    if selects and every:
        raise typer.BadParameter("--all can't be combined with ids, filters or --limit")


def require_log(account: Account, *, wanted: bool, timeout: float | None) -> None:
    """Check that a command can wait for outcomes if `wanted`: it reads them from the function's log.

    Raises:
        typer.BadParameter: There is no stack, or there is a `timeout` and nothing to wait for.
        courier.aws.StackOutputError: The stack does not name the log.
        botocore.exceptions.ClientError, BotoCoreError: CloudFormation did not answer.
    """
    if timeout is not None and not wanted:
        raise typer.BadParameter("--timeout limits a wait: use it with --wait or --canary")
    if wanted and account.given_queues:
        why = "--wait and --canary read the function's log"
        raise typer.BadParameter(f"{why}: name the stack with --stack, and omit the URLs of the queues")
    if wanted:
        account.output("LogGroupName")
