"""Something that takes its time: a spinner on a terminal, a line elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from courier.terminal.view import err

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Say what is waited for."""
    if err.is_terminal:
        with err.status(f"{text} …"):
            yield
        return
    err.print(f"{text} …", soft_wrap=True)
    yield
