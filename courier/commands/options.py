"""The options that several commands share, and the exit codes."""

import difflib
from collections.abc import Sequence
from typing import Annotated

import typer

from contract.dead_letter import Reason
from courier.queues.letter import MOVED_BY_SQS
from courier.queues.selection import Filters, seconds
from courier.terminal import view

DONE, SOME_NOT_DONE, NO_ACCESS = 0, 1, 2


def _age(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong)) from None


REASONS = (*Reason, MOVED_BY_SQS)


def _reason(text: str) -> str:
    if text in REASONS:
        return text
    by_lower_case = {reason.lower(): reason for reason in REASONS}
    near = difflib.get_close_matches(text.lower(), by_lower_case, n=1, cutoff=0)[0]
    raise typer.BadParameter(f"{text!r} is not a reason. The nearest is {by_lower_case[near]}.")


def _completed(incomplete: str) -> list[str]:
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
        autocompletion=_completed,
        help="Its Reason; may be given again.",
    ),
]
Contacts = Annotated[
    list[str] | None, typer.Option("--contact", metavar="ID", help="Its ContactId; may be given again.")
]
OlderThan = Annotated[float | None, typer.Option(parser=_age, metavar="AGE", help="Such as 90s, 15m, 12h, 7d.")]
NewerThan = Annotated[float | None, typer.Option(parser=_age, metavar="AGE", help="Such as 90s, 15m, 12h, 7d.")]
Since = Annotated[
    float | None,
    typer.Option(parser=_age, metavar="AGE", help="Search no more of the log than this, such as 2h; 14d by default."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="No more letters than this.")]
All = Annotated[bool, typer.Option("--all", help="All letters: without ids and filters it has to be said.")]
Rate = Annotated[float | None, typer.Option(min=0.1, help="No more letters a second than this.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until each is sent or back, and say which.")]
Timeout = Annotated[
    float | None, typer.Option(parser=_age, metavar="AGE", help="Wait no longer than this; 15m by default.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Json = Annotated[bool, typer.Option("--json", help="JSON for programs, a line each.")]


def filters_of(
    ids: Sequence[str] | None = None,
    reasons: Sequence[str] | None = None,
    contacts: Sequence[str] | None = None,
    older_than: float | None = None,
    newer_than: float | None = None,
) -> Filters:
    """The filters that a command was given."""
    return Filters(
        ids=frozenset(ids or ()),
        reasons=frozenset(reasons or ()),
        contacts=frozenset(contacts or ()),
        older_than=older_than,
        newer_than=newer_than,
    )


def all_or_some(filters: Filters, limit: int | None, *, every: bool) -> None:
    """Check that an operator who names no letters says that all are meant.

    Raises:
        typer.BadParameter: It is neither or both.
    """
    named = limit is not None or filters != Filters()
    if not named and not every:
        raise typer.BadParameter("name letters by their ids, a filter or --limit; or say --all")
    if named and every:
        raise typer.BadParameter("--all stands alone: ids, filters and --limit mean some letters")


def confirm(question: str, *, yes: bool) -> None:
    """Ask, unless the operator has said yes beforehand.

    Raises:
        typer.Exit: The answer is no, or there is nobody to answer: what was asked for is not done.
    """
    if yes:
        return
    try:
        answer = typer.confirm(view.question(question), err=True)
    except typer.Abort:
        view.end_of_question()
        view.fail("there was no answer, so nothing was done; --yes answers beforehand")
        raise typer.Exit(SOME_NOT_DONE) from None
    if not answer:
        view.warn("Nothing was done.")
        raise typer.Exit(SOME_NOT_DONE)
