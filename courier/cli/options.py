"""The options that several commands share, and the exit codes."""

import difflib
import re
from collections.abc import Sequence
from typing import Annotated

import typer

from contract.dead_letter import Reason
from courier.dead_letters import MOVED_BY_SQS
from courier.output import _UNITS
from courier.selection import Filters


def _age(text: str) -> float:
    try:
        return parse_age(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


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


def make_filters(
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


def require_selection(filters: Filters, limit: int | None, *, every: bool) -> None:
    """Check that an operator who names no letters says that all are meant.

    Raises:
        typer.BadParameter: It is neither or both.
    """
    named = limit is not None or filters != Filters()
    if not named and not every:
        raise typer.BadParameter("name letters by their ids, a filter or --limit; or say --all")
    if named and every:
        raise typer.BadParameter("--all stands alone: ids, filters and --limit mean some letters")


_AGE = re.compile(r"(\d{1,6})([smhd])")


def parse_age(age: str) -> float:
    """Read an age, such as 90s, 15m, 12h or 7d.

    Raises:
        ValueError: It is not an age; the text says what is right.
    """
    if (parts := _AGE.fullmatch(age)) is None:
        text = f"{age!r} is not an age: write a number and s, m, h or d, such as 90s, 15m, 12h or 7d"
        raise ValueError(text)
    return int(parts[1]) * _UNITS[parts[2]]
