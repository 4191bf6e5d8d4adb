"""Progress: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from courier.terminal.view import err

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Task

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
