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


def _reason(text: str) -> str:
    known = [*Reason, MOVED_BY_SQS]
    if text in known:
        return text
    by_lower = {reason.lower(): reason for reason in known}
    near = difflib.get_close_matches(text.lower(), by_lower, n=1, cutoff=0.5)
    meant = f"do you mean {by_lower[near[0]]}?" if near else f"there are {', '.join(known)}"
    raise typer.BadParameter(f"{text!r} is not a reason: {meant}")


def _age(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong)) from None


Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="Message ids, as `dlq list` shows them.", show_default=False),
]
OneId = Annotated[str, typer.Argument(metavar="ID", help="The message id, as `dlq list` shows it.")]
Reasons = Annotated[
    list[str] | None,
    typer.Option("--reason", parser=_reason, metavar="REASON", help="Its Reason; may be given again."),
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
Rate = Annotated[float | None, typer.Option(min=0.1, help="No more letters a second than this.")]
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


def confirm(question: str, *, yes: bool) -> None:
    """Ask, unless the operator has said yes beforehand.

    Raises:
        typer.Exit: The answer is no, or there is nobody to answer: what was asked for is not done.
    """
    try:
        answer = yes or typer.confirm(question, err=True)
    except typer.Abort:
        view.fail("nobody answered: nothing was done. --yes answers beforehand")
        raise typer.Exit(SOME_NOT_DONE) from None
    if not answer:
        view.say("Nothing was done.")
        raise typer.Exit(SOME_NOT_DONE)
