"""How far a work has come: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from courier.view import err

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Task

LINE_SECONDS = 5
"""How often a line tells of the progress where there is no terminal."""


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:.1f}/s")


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Tell of a work's progress: a bar with rate and time left on a terminal, else a line every few seconds.

    Yields:
        What to call with each number of letters that were worked on; threads may.
    """
    if err.is_terminal:
        columns = (TextColumn(what), BarColumn(None), MofNCompleteColumn(), _Rate(), TimeRemainingColumn(compact=True))
        with Progress(*columns, console=err) as bar:
            task = bar.add_task(what, total=total)
            yield lambda count: bar.advance(task, count)
        return
    worked, told_at = 0, time.monotonic()

    def tell(count: int) -> None:
        nonlocal worked, told_at
        worked += count
        if time.monotonic() - told_at >= LINE_SECONDS:
            told_at = time.monotonic()
            err.print(f"{what} {worked} of about {total}", soft_wrap=True)

    yield tell
