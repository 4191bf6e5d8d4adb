"""Letters on the screen: the list of `dlq list`, and the page of `dlq show`, which alone shows a reply."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from contract.client_token import FIRST_TRIED_AT, iso
from contract.dead_letter import COURIER_ATTRIBUTES, DETAIL, Reason
from courier.dead_letters import DRAFT_SECONDS, printable_identifier
from courier.export import summary_json
from courier.groups import advice, cause_of
from courier.output import count_letters, data, format_age, format_counts, out, printable, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from courier.dead_letters import Letter

REASON_WIDTH = max(len(reason) for reason in Reason)
ONE_LINE_WIDTH = 36 + 1 + REASON_WIDTH + 1 + 4 + 1 + 36
"""Columns for an id, the longest reason, an age and a contact id in one line."""
SHOWN_COPIES = 3
"""How many CC recipients are shown: 50 would fill three screens."""


class Row(NamedTuple):
    """A letter in a list.

    Attributes:
        sent_at: Seconds since the epoch.
        summary: As `dlq list --json` writes it.
        details: The error code and the path of the invalid member.
    """

    sent_at: float
    summary: Mapping[str, Any]
    details: str

    @classmethod
    def of(cls, letter: Letter) -> Self:
        """The letter, without its body."""
        return cls(letter.sent_at, summary_json(letter), cause_of(letter).details)

    @property
    def reason(self) -> str:
        """The reason, if it may be printed."""
        return self.summary["reason"] or "?"

    @property
    def contact(self) -> str:
        """The contact id, if it may be printed."""
        return self.summary["contact_id"] or "?"


def show_letter_list(rows: Sequence[Row], now: float, *, details: bool) -> None:
    """Print letters in this order. On a narrow terminal, print them below their reasons."""
    if out.is_terminal and out.width < ONE_LINE_WIDTH:
        _show_by_reason(rows, now, details=details)
    else:
        _line(f"{'ID':36} {'REASON':{REASON_WIDTH}} {'AGE':>4} CONTACT", style="bold")
        for row in rows:
            age = format_age(now - row.sent_at)
            _line(f"{row.summary['id']:36} {row.reason:{REASON_WIDTH}} {age:>4} {row.contact}")
            _show_details(row, wanted=details)
    say(f"{count_letters(len(rows))}: {format_counts(Counter(row.reason for row in rows))}.")


def show_letter(letter: Letter, now: float) -> None:
    """Print a letter: the reply, its history, and last, so that it stays in view, what went wrong and what to do."""
    for name, value in _reply_parts(letter.reply):
        out.print(Text(printable(name), style="bold"))
        out.print(Text(f"{printable(value)}\n"), soft_wrap=not out.is_terminal)
    age = now - letter.sent_at
    rows = {
        "Id": letter.id,
        "Contact": letter.contact_id or "",
        "Client token": letter.token or "invalid",
        "On this queue since": iso(letter.sent_at),
        "First tried": summary_json(letter)["first_tried_at"] or letter.text(FIRST_TRIED_AT),
        "Age": format_age(age) + (": its draft may have expired in Connect" if age > DRAFT_SECONDS else ""),
    }
    rows |= {
        f"Attribute {name}": value.get("StringValue", "(binary)")
        for name, value in letter.attributes.items()
        if name not in COURIER_ATTRIBUTES
    }
    wrong = {"Reason": letter.reason, "Detail": letter.text(DETAIL)}
    history = Table.grid(padding=(0, 2))
    history.add_column(style="bold", no_wrap=True)
    history.add_column(overflow="fold")
    for name, value in (rows | wrong).items():
        if value:
            history.add_row(printable(name), printable(value), style="red" if name in wrong else "")
    out.print(history)
    say(advice(printable_identifier(letter.reason), letter.id))


def show_plan(letter: Letter, plan: str, *, as_json: bool) -> None:
    """Print what a replay would do with a letter."""
    summary = summary_json(letter)
    if as_json:
        data(json.dumps({**summary, "plan": plan}))
    else:
        _line(f"{letter.id:36} {summary['reason'] or '?':18} {plan}")


def _show_by_reason(rows: Sequence[Row], now: float, *, details: bool) -> None:
    """The reason with the oldest letter comes first."""
    _line(f" AGE {'ID':36} CONTACT", style="bold")
    for reason in dict.fromkeys(row.reason for row in rows):
        _line(reason, style="cyan")
        for row in (row for row in rows if row.reason == reason):
            _line(f"{format_age(now - row.sent_at):>4} {row.summary['id']:36} {row.contact}")
            _show_details(row, wanted=details)


def _show_details(row: Row, *, wanted: bool) -> None:
    if wanted and row.details:
        out.print(Padding(Text(row.details, style="dim"), (0, 0, 0, 5)), soft_wrap=not out.is_terminal)


def _line(text: str, style: str = "") -> None:
    """Print a line: cut off on a terminal, complete elsewhere."""
    if out.is_terminal:
        out.print(Text(text, style=style), no_wrap=True, overflow="ellipsis", crop=True)
    else:
        data(text)


def _reply_parts(body: str) -> Iterator[tuple[str, str]]:
    """A reply as a person reads it: recipients, subject, text. A body that is not a reply stays as it is."""
    try:
        reply: Any = json.loads(body)
    except (ValueError, RecursionError):
        yield "Body (not JSON)", body
        return
    email = reply.get("EmailMessage", {}) if isinstance(reply, dict) else None
    raw = email.pop("RawMessage", None) if isinstance(email, dict) else None
    if isinstance(reply, dict):
        _shorten_recipients(reply)
    yield "Reply", json.dumps(reply, indent=2, ensure_ascii=False)
    if isinstance(raw, dict):
        for name, value in raw.items():
            yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    elif raw is not None:
        yield "RawMessage", json.dumps(raw, ensure_ascii=False)


def _shorten_recipients(reply: dict[str, Any]) -> None:
    additional = reply.get("AdditionalRecipients")
    copies = additional.get("CcEmailAddresses") if isinstance(additional, dict) else None
    if isinstance(copies, list) and len(copies) > SHOWN_COPIES:
        copies[SHOWN_COPIES:] = [f"… and {len(copies) - SHOWN_COPIES} more: see --json"]
