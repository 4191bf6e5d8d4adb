"""A letter on the screen: the only place that shows a reply."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from contract.dead_letter import DETAIL, OURS, Reason
from contract.token_age import FIRST_TRIED_AT, iso
from courier.dead_letters import DRAFT_SECONDS, MOVED_BY_SQS, printable_identifier
from courier.export import summary
from courier.groups import advice, masked
from courier.output import data, format_age, format_counts, letters, out, printable, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from courier.dead_letters import Letter

SHOWN_COPIES = 3
"""Of the CC recipients."""


def show_letter(letter: Letter, now: float) -> None:
    """The whole of a letter: the reply, its history, and last what went wrong and what to do: that stays in output."""
    for name, value in _parts(letter.reply):
        out.print(Text(printable(name), style="bold"))
        out.print(Text(f"{printable(value)}\n"), soft_wrap=not out.is_terminal)
    listed = summary(letter)
    history = Table.grid(padding=(0, 2))
    history.add_column(style="bold", no_wrap=True)
    history.add_column(overflow="fold")
    rows = {
        "Id": letter.id,
        "Contact": letter.contact_id or "",
        "Client token": letter.token or "cannot be used",
        "On this queue since": iso(letter.sent_at),
        "First tried": listed["first_tried_at"] or letter.text(FIRST_TRIED_AT),
        "Age": format_age(now - letter.sent_at) + _age_note(now - letter.sent_at),
    }
    producers_own = {
        f"Attribute {name}": value.get("StringValue", "(binary)")
        for name, value in letter.attributes.items()
        if name not in OURS
    }
    wrong = {"Reason": letter.reason, "Detail": letter.text(DETAIL)}
    for name, value in (rows | producers_own | wrong).items():
        if value:
            history.add_row(printable(name), printable(value), style="red" if name in wrong else "")
    out.print(history)
    say(advice(printable_identifier(letter.reason), letter.id))


def _age_note(age: float) -> str:
    return ": its draft may have expired in Connect" if age > DRAFT_SECONDS else ""


def _parts(body: str) -> Iterator[tuple[str, str]]:
    """A reply as a person reads it: who it is for, its subject, its text; a body that is no reply as it is."""
    try:
        reply: Any = json.loads(body)
    except (ValueError, RecursionError):
        yield "Body (not JSON)", body
        return
    raw = reply.get("EmailMessage", {}) if isinstance(reply, dict) else None
    message = raw.pop("RawMessage", None) if isinstance(raw, dict) else None
    if isinstance(reply, dict):
        _fold_recipients(reply)
    yield "Reply", json.dumps(reply, indent=2, ensure_ascii=False)
    if isinstance(message, dict):
        for name, value in message.items():
            yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    elif message is not None:
        yield "RawMessage", json.dumps(message, ensure_ascii=False)


def _fold_recipients(reply: dict[str, Any]) -> None:
    """Leave the first of many, with the number of the others: 50 of them would fill three screens."""
    more = reply.get("AdditionalRecipients")
    copies = more.get("CcEmailAddresses") if isinstance(more, dict) else None
    if isinstance(copies, list) and len(copies) > SHOWN_COPIES:
        copies[SHOWN_COPIES:] = [f"… and {len(copies) - SHOWN_COPIES} more: see --json"]


REASON_WIDTH = max(len(reason) for reason in Reason)


ONE_LINE = 36 + 1 + REASON_WIDTH + 1 + 4 + 1 + 36
"""Columns for an id, the longest reason, an age and a contact id in one line."""


_INDENT = 5


class Row(NamedTuple):
    """What a list shows of a letter.

    Attributes:
        sent_at: Seconds since the epoch.
        listed: As `dlq list --json` writes it.
        details: Of what went wrong, what may be printed.
    """

    sent_at: float
    listed: Mapping[str, Any]
    details: str

    @classmethod
    def of(cls, letter: Letter) -> Self:
        """The letter, without its body."""
        details = "" if letter.reason == MOVED_BY_SQS else masked(letter.text(DETAIL))
        return cls(letter.sent_at, summary(letter), details)

    @property
    def reason(self) -> str:
        """The reason, if it may be printed."""
        return self.listed["reason"] or "?"

    @property
    def contact(self) -> str:
        """The contact id, if it may be printed."""
        return self.listed["contact_id"] or "?"


def show_letter_list(rows: Sequence[Row], now: float, *, details: bool) -> None:
    """The letters, in this order; where a line has no room for id, reason and contact, below their reasons."""
    if out.is_terminal and out.width < ONE_LINE:
        _below_their_reasons(rows, now, details=details)
    else:
        _line(f"{'ID':36} {'REASON':{REASON_WIDTH}} {'AGE':>4} CONTACT", style="bold")
        for row in rows:
            _line(f"{row.listed['id']:36} {row.reason:{REASON_WIDTH}} {format_age(now - row.sent_at):>4} {row.contact}")
            _row_details(row, shown=details)
    reasons = Counter(row.reason for row in rows)
    say(f"{letters(len(rows))}: {format_counts(reasons)}.")


def _below_their_reasons(rows: Sequence[Row], now: float, *, details: bool) -> None:
    """The reason with the oldest letter first."""
    _line(f" AGE {'ID':36} CONTACT", style="bold")
    for reason in dict.fromkeys(row.reason for row in rows):
        _line(reason, style="cyan")
        for row in (row for row in rows if row.reason == reason):
            _line(f"{format_age(now - row.sent_at):>4} {row.listed['id']:36} {row.contact}")
            _row_details(row, shown=details)


def _row_details(row: Row, *, shown: bool) -> None:
    if shown and row.details:
        out.print(Padding(Text(row.details, style="dim"), (0, 0, 0, _INDENT)), soft_wrap=not out.is_terminal)


def _line(text: str, style: str = "") -> None:
    if out.is_terminal:
        out.print(Text(text, style=style), no_wrap=True, overflow="ellipsis", crop=True)
    else:
        data(text)
