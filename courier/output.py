"""What a person sees, line by line. All of the command prints through this, and nothing but the views uses Rich."""

from __future__ import annotations

import json
import re
import textwrap
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rich.progress import Task

EXIT_OK, EXIT_PARTIAL, EXIT_USAGE = 0, 1, 2


def confirm(question: str, *, yes: bool) -> None:
    """Ask, unless the operator has said yes beforehand.

    Raises:
        typer.Exit: The answer is no, or there is nobody to answer: what was asked for is not done.
    """
    if yes:
        return
    try:
        answer = typer.confirm(_folded(question), err=True)
    except typer.Abort:
        end_of_question()
        fail("there was no answer, so nothing was done; --yes answers beforehand")
        raise typer.Exit(EXIT_PARTIAL) from None
    if not answer:
        warn("Nothing was done.")
        raise typer.Exit(EXIT_PARTIAL)


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


def _folded(text: str) -> str:
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


def show_failures(letters: Iterable[Failure]) -> None:
    """Each that could not be done, and why."""
    for each in letters:
        fail(f"{each.name}: {each.why}")


LINE_SECONDS = 5
"""Seconds between two lines where there is no terminal."""


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show progress: a bar with rate and time left on a terminal, else a line every few seconds.

    Yields:
        What to call with each number of letters that are done.
    """
    if err.is_terminal:
        columns = (TextColumn(what), BarColumn(None), MofNCompleteColumn(), _Rate(), TimeRemainingColumn(compact=True))
        with Progress(*columns, console=err) as bar:
            task = bar.add_task(what, total=total)
            yield lambda count: bar.advance(task, count)
        return
    worked, printed_at = 0, time.monotonic()

    def advance(count: int) -> None:
        nonlocal worked, printed_at
        worked += count
        if time.monotonic() - printed_at >= LINE_SECONDS:
            printed_at = time.monotonic()
            err.print(f"{what} {worked} of about {total}", soft_wrap=True)

    yield advance


@contextmanager
def waiting(text: str, *, quiet: bool = False) -> Iterator[None]:
    """Say what is waited for; if quiet, on a terminal only."""
    if err.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description} …"), TimeElapsedColumn())
        with Progress(*columns, console=err, transient=True) as bar:
            bar.add_task(text, total=None)
            yield
        return
    if not quiet:
        err.print(f"{text} …", soft_wrap=True)
    yield


@dataclass(frozen=True, slots=True)
class Failure:
    """What could not be done with a message, and why: a person is told."""

    name: str
    why: str


_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def format_age(age: float) -> str:
    """An age in seconds for people: 42s, 15m, 12h, 8d."""
    unit = next((unit for unit in "dhm" if age >= _UNITS[unit]), "s")
    return f"{max(0, int(age // _UNITS[unit]))}{unit}"


def json_line(members: Mapping[str, Any]) -> str:
    """One line of JSON, in ASCII: it comes back the same from any terminal, pipe and editor."""
    return json.dumps(members)


def format_counts(reasons: Counter[str]) -> str:
    """How many for each reason, in words."""
    return ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())
