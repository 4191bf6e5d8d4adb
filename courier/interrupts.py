"""Ctrl-C, SIGTERM and SIGHUP: they end the program, but never in the middle of a call to SQS."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

# Windows has no SIGHUP.
_ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def end_as_ctrl_c_does() -> None:
    """Make `kill` and a closed terminal end the program as Ctrl-C does: what is held is given back."""
    for ending in _ENDING:
        if ending != signal.SIGINT:
            signal.signal(ending, _interrupt)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let what is inside come to its end; a signal that came meanwhile takes effect afterwards.

    Raises:
        KeyboardInterrupt: Afterwards, if a signal came.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # Python handles signals in the main thread alone
        yield
        return
    before = {ending: signal.getsignal(ending) for ending in _ENDING}
    for ending, handler in before.items():
        if callable(handler):  # an ignored signal stays ignored
            signal.signal(ending, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        for ending, handler in before.items():
            if callable(handler):
                signal.signal(ending, handler)
    if came:
        raise KeyboardInterrupt


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
