"""What a person sees, line by line. All of the command prints through this, and nothing but the views uses Rich."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from rich.console import Console

from courier.queues.letter_json import json_line, summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from courier.queues.letter import Letter
    from courier.queues.sending import NotDone

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

out = Console(highlight=False, markup=False, emoji=False)
err = Console(highlight=False, markup=False, emoji=False, stderr=True)


def say(text: str) -> None:
    """A line of an answer, at once: on a terminal broken between words, elsewhere as wide as it is."""
    out.print(text, soft_wrap=not out.is_terminal)


def warn(text: str) -> None:
    """A line that is not part of the answer."""
    err.print(text, soft_wrap=not err.is_terminal, style="yellow")


def fail(text: str) -> None:
    """Why the command did not do what was asked."""
    err.print(f"courier: {text}", soft_wrap=not err.is_terminal, style="red")


def letters(count: int) -> str:
    """So many letters, in words."""
    return "1 letter" if count == 1 else f"{count:,} letters"


def question(text: str) -> str:
    """A question, broken between words where a terminal would break it anywhere; room is left for the answer."""
    return textwrap.fill(text, err.width - len(" [y/N]: y")) if err.is_terminal else text


def end_of_question() -> None:
    """Begin a new line, where a question was left without an answer."""
    err.print()


def data(line: str) -> None:
    """A line for programs."""
    out.out(line, highlight=False)


def printable(text: str) -> str:
    """The text without what could control a terminal or is no character: a reply is written by others."""
    return _CONTROL.sub("\ufffd", text)


def plan_row(letter: Letter, plan: str, *, as_json: bool = False) -> None:
    """What would happen to a letter."""
    if as_json:
        data(json_line({**summary(letter), "plan": plan}))
        return
    line = f"{letter.id:36} {summary(letter)['reason'] or '?':18} {plan}"
    if out.is_terminal:
        out.print(line, no_wrap=True, overflow="ellipsis", crop=True)
    else:
        data(line)


def not_done(letters: Iterable[NotDone]) -> None:
    """Each that could not be done, and why."""
    for each in letters:
        fail(f"{each.name}: {each.why}")
