"""What a person sees, line by line. All of the command prints through this, and nothing but the views uses Rich."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from courier.queues.letter_json import summary
from courier.queues.selection import short

if TYPE_CHECKING:
    from collections.abc import Iterable

    from courier.queues.letter import Letter
    from courier.queues.sending import NotDone

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

out = Console(highlight=False, markup=False, emoji=False)
err = Console(highlight=False, markup=False, emoji=False, stderr=True)


def say(text: str) -> None:
    """A line of an answer, at once, as wide as it is."""
    out.print(text, soft_wrap=True)


def warn(text: str) -> None:
    """A line that is not part of the answer."""
    err.print(text, soft_wrap=True, style="yellow")


def fail(text: str) -> None:
    """Why the command did not do what was asked."""
    err.print(f"courier: {text}", soft_wrap=True, style="red")


def data(line: str) -> None:
    """A line for programs."""
    out.out(line, highlight=False)


def printable(text: str) -> str:
    """The text without what could control a terminal or is no character: a reply is written by others."""
    return _CONTROL.sub("\ufffd", text)


def head() -> None:
    """The header of a list of letters."""
    _row("ID", "REASON", "AGE", "CONTACT", style="bold")


def letter_row(letter: Letter, now: float) -> None:
    """A letter of a list, as it comes."""
    listed = summary(letter)
    _row(letter.id, listed["reason"] or "?", short(now - letter.sent_at), listed["contact_id"] or "?")


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
