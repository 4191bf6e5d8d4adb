"""A list of letters on the screen: the oldest first, and how many there are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from rich.padding import Padding
from rich.text import Text

from contract.dead_letter import DETAIL, Reason
from courier.queues.letter import MOVED_BY_SQS
from courier.queues.letter_json import summary
from courier.queues.masking import masked
from courier.queues.selection import short
from courier.terminal.view import data, letters, out, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from courier.queues.letter import Letter

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


def letter_list(rows: Sequence[Row], now: float, *, details: bool) -> None:
    """The letters, in this order; where a line has no room for id, reason and contact, below their reasons."""
    if out.is_terminal and out.width < ONE_LINE:
        _below_their_reasons(rows, now, details=details)
    else:
        _line(f"{'ID':36} {'REASON':{REASON_WIDTH}} {'AGE':>4} CONTACT", style="bold")
        for row in rows:
            _line(f"{row.listed['id']:36} {row.reason:{REASON_WIDTH}} {short(now - row.sent_at):>4} {row.contact}")
            _details(row, shown=details)
    reasons = Counter(row.reason for row in rows)
    say(f"{letters(len(rows))}: {counted(reasons)}.")


def counted(reasons: Counter[str]) -> str:
    """How many for each reason, in words."""
    return ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())


def _below_their_reasons(rows: Sequence[Row], now: float, *, details: bool) -> None:
    """The reason with the oldest letter first."""
    _line(f" AGE {'ID':36} CONTACT", style="bold")
    for reason in dict.fromkeys(row.reason for row in rows):
        _line(reason, style="cyan")
        for row in (row for row in rows if row.reason == reason):
            _line(f"{short(now - row.sent_at):>4} {row.listed['id']:36} {row.contact}")
            _details(row, shown=details)


def _details(row: Row, *, shown: bool) -> None:
    if shown and row.details:
        out.print(Padding(Text(row.details, style="dim"), (0, 0, 0, _INDENT)), soft_wrap=not out.is_terminal)


def _line(text: str, style: str = "") -> None:
    if out.is_terminal:
        out.print(Text(text, style=style), no_wrap=True, overflow="ellipsis", crop=True)
    else:
        data(text)
