"""What a person sees and answers: lines, questions, progress. All of `courier` prints through this module."""

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

EXIT_OK, EXIT_PARTIAL, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130
"""Done; not all was done; wrong usage or no access; interrupted."""
PROGRESS_SECONDS = 5
"""Seconds between two lines of progress where there is no terminal."""
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
"""The units of a duration, in seconds."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

out = Console(highlight=False, markup=False, emoji=False)
err = Console(highlight=False, markup=False, emoji=False, stderr=True)


@dataclass(frozen=True, slots=True)
class Failure:
    """A message or letter that the command could not process, and why."""

    name: str
    why: str


def say(text: str) -> None:
    """Print a line of the answer: wrapped between words on a terminal, unwrapped elsewhere."""
    out.print(text, soft_wrap=not out.is_terminal)


def data(line: str) -> None:
    """Print a line for programs, as it is."""
    out.out(line, highlight=False)


def warn(text: str) -> None:
    """Print a line that is not part of the answer."""
    err.print(text, soft_wrap=not err.is_terminal, style="yellow")


def fail(text: str) -> None:
    """Print why the command did not do what it was asked to do."""
    err.print(f"courier: {text}", soft_wrap=not err.is_terminal, style="red")


def show_failures(failures: Iterable[Failure]) -> None:
    """Print each failure."""
    for each in failures:
        fail(f"{each.name}: {each.why}")


def confirm(question: str, *, yes: bool) -> None:
    """Ask the operator, unless they passed `--yes`.

    Raises:
        typer.Exit: The operator said no, or nobody answered.
        KeyboardInterrupt: The operator pressed Ctrl-C.
    """
    if yes:
        return
    wrapped = textwrap.fill(question, err.width - len(" [y/N]: y")) if err.is_terminal else question
    with _prompt():
        confirmed = typer.confirm(wrapped, err=True)
    if not confirmed:
        warn("Nothing was done.")
        raise typer.Exit(EXIT_PARTIAL)


def wait_for_enter(text: str) -> None:
    """Wait until the operator presses Enter. Raises what `confirm` raises."""
    with _prompt():
        typer.prompt(text, default="", show_default=False, err=True)


@contextmanager
def _prompt() -> Iterator[None]:
    """Tell Ctrl-C from a closed input: Typer raises Abort for both."""
    try:
        yield
    except typer.Abort as abort:
        err.print()  # end the line of the question
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        fail("Aborted: no confirmation. Use --yes to skip the prompt.")
        raise typer.Exit(EXIT_PARTIAL) from None


def printable(text: str) -> str:
    """Replace what could control a terminal, or is not a character: other people wrote the text."""
    return _CONTROL.sub("\ufffd", text)


def json_line(members: Mapping[str, Any]) -> str:
    """One line of JSON in ASCII, which every terminal, pipe and editor keeps as it is."""
    return json.dumps(members)


def count_letters(count: int) -> str:
    """A number of letters, such as "1 letter" or "1,200 letters"."""
    return "1 letter" if count == 1 else f"{count:,} letters"


def format_counts(reasons: Counter[str]) -> str:
    """The number for each reason, such as "35 NotFound, 1 MovedBySqs"."""
    return ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())


def format_age(seconds: float) -> str:
    """An age in its largest unit, such as 42s, 15m, 12h or 8d."""
    unit = next((unit for unit in "dhm" if seconds >= UNITS[unit]), "s")
    return f"{max(0, int(seconds // UNITS[unit]))}{unit}"


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show progress: a bar with rate and time left on a terminal, elsewhere a line every PROGRESS_SECONDS.

    Yields:
        A function to call with each number of letters that are done.
    """
    if err.is_terminal:
        columns = (TextColumn(what), BarColumn(None), MofNCompleteColumn(), _Rate(), TimeRemainingColumn(compact=True))
        with Progress(*columns, console=err) as bar:
            task = bar.add_task(what, total=total)
            yield lambda count: bar.advance(task, count)
        return
    done, printed_at = 0, time.monotonic()

    def advance(count: int) -> None:
        nonlocal done, printed_at
        done += count
        if time.monotonic() - printed_at >= PROGRESS_SECONDS:
            printed_at = time.monotonic()
            err.print(f"{what} {done} of about {total}", soft_wrap=True)

    yield advance


@contextmanager
def waiting(text: str, *, quiet: bool = False) -> Iterator[None]:
    """Say what the command waits for: a spinner with the time on a terminal, elsewhere a line unless `quiet`."""
    if err.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description} …"), TimeElapsedColumn())
        with Progress(*columns, console=err, transient=True) as bar:
            bar.add_task(text, total=None)
            yield
        return
    if not quiet:
        err.print(f"{text} …", soft_wrap=True)
    yield
