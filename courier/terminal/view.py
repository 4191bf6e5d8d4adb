"""What a person sees, line by line. All of the command prints through this, and nothing but the views uses Rich."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from courier.queues.letter_json import summary
from courier.queues.selection import count_of, short

if TYPE_CHECKING:
    from collections.abc import Iterable

    from courier.queues.letter import Letter
    from courier.queues.queue_status import Status
    from courier.queues.sending import NotDone

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

WIDE = 100
"""Columns in which a letter has room in a line."""

out = Console(highlight=False, markup=False, emoji=False)
err = Console(highlight=False, markup=False, emoji=False, stderr=True)


def say(text: str) -> None:
    """A line of an answer, at once, as wide as it is."""
    out.print(text, soft_wrap=True)


def hint(text: str) -> None:
    """A line for people beside the answer, such as what to do next."""
    err.print(text, soft_wrap=True)


def warn(text: str) -> None:
    """A line that is not part of the answer."""
    err.print(text, soft_wrap=True, style="yellow")


def warn_all(texts: Iterable[str]) -> None:
    """Lines that are not part of the answer."""
    for text in texts:
        warn(text)


def fail(text: str) -> None:
    """Why the command did not do what was asked."""
    err.print(f"courier: {text}", soft_wrap=True, style="red")


def data(line: str) -> None:
    """A line for programs."""
    out.out(line, highlight=False)


def printable(text: str) -> str:
    """The text without what could control a terminal or is no character: a reply is written by others."""
    return _CONTROL.sub("\ufffd", text)


class Row(NamedTuple):
    """What a list keeps of a letter, until it has them all."""

    sent_at: float
    listed: dict[str, Any]


def row_of(letter: Letter) -> Row:
    """A letter of a list."""
    return Row(letter.sent_at, summary(letter))


def letter_list(rows: list[Row], now: float, *, details: bool) -> None:
    """Letters, the oldest first, and how many there are; a contact is never cut."""
    if not rows:
        hint("No letters match.")
        return
    is_wide = not out.is_terminal or out.width >= WIDE
    _row("ID", "REASON", "AGE", "CONTACT" if is_wide else "", style="bold")
    for sent_at, listed in sorted(rows, key=lambda row: row.sent_at):
        contact = listed["contact_id"] or "?"
        _row(listed["id"], listed["reason"] or "?", short(now - sent_at), contact if is_wide else "")
        if not is_wide and not details:
            out.print(Text(f"    contact {contact}"), overflow="fold")
        if details:
            for name in ("contact_id", "client_token", "sent_at", "first_tried_at"):
                out.print(Text(f"    {name.replace('_', ' '):15} {listed[name] or '-'}"), overflow="fold")
    hint(f"{count_of(len(rows), 'letter')}.")


def plan_row(letter: Letter, plan: str) -> None:
    """What would happen to a letter."""
    _row(letter.id, summary(letter)["reason"] or "?", "", plan)


def _row(letter_id: str, reason: str, age: str, rest: str, style: str = "") -> None:
    line = f"{letter_id:36} {reason:18} " + (f"{age:>4} " if age else "") + rest
    if out.is_terminal:
        out.print(Text(line, style=style), no_wrap=True, overflow="ellipsis", crop=True)
    else:
        data(line)


def not_done(letters: Iterable[NotDone]) -> None:
    """Each that could not be done, and why."""
    for each in letters:
        fail(f"{each.name}: {each.why}")


def status_page(status: Status) -> Group:
    """What `status` shows: first of all, that nothing is sent."""
    parts: list[Table | Text] = [_status_table(status)]
    if pause := status.paused:
        since = f" since {pause.at}" if pause.at else ""
        by = f" by {pause.by}" if pause.by else ", not by courier"
        parts.insert(0, Text(f"PAUSED{since}{by}: nothing is sent until courier resume.", style="bold red"))
    return Group(*parts)


def _status_table(status: Status) -> Table:
    """Both queues, and the dead letters by their reasons."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("QUEUE", "WAITING", "IN FLIGHT", "DELAYED", "OLDEST"):
        table.add_column(name, justify="left" if name == "QUEUE" else "right", no_wrap=True)
    for name, queue in (("replies", status.replies), ("dead letters", status.dead_letters)):
        counts = (str(count) for count in (queue.waiting, queue.in_flight, queue.delayed))
        table.add_row(name, *counts, "-" if queue.oldest is None else short(queue.oldest))
    for reason, count in status.letters.reasons.most_common():
        table.add_row(f"  {reason}", str(count))
    if status.letters.expiring:
        table.add_row("  deleted by SQS within 3 days (dlq renew)", str(status.letters.expiring), style="red")
    return table


def show_statuses(statuses: Iterable[Status]) -> None:
    """Show each status in the place of the one before; off a terminal, one after the other."""
    if not out.is_terminal:
        for status in statuses:
            out.print(status_page(status))
        return
    with Live(console=out, auto_refresh=False) as live:
        for status in statuses:
            live.update(status_page(status), refresh=True)
