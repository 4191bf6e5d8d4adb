"""Something that takes its time: a spinner and the time so far on a terminal, a line elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from courier.terminal.view import err

if TYPE_CHECKING:
    from collections.abc import Iterator


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
