"""Ctrl-C, SIGTERM and SIGHUP end the program, but never in the middle of a call to SQS."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

# Windows has no SIGHUP.
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def handle_signals() -> None:
    """Make `kill` and a closed terminal end the program as Ctrl-C does, so that it releases the letters it holds.

    A signal that the caller ignores stays ignored, as nohup has it for a closed terminal.
    """
    for each in _SIGNALS:
        if each != signal.SIGINT and signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, _interrupt)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let the block finish. A signal that arrives meanwhile takes effect afterwards.

    Raises:
        KeyboardInterrupt: A signal arrived.
    """
    arrived: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # Python handles signals in the main thread only
        yield
        return
    before = {each: signal.getsignal(each) for each in _SIGNALS}
    for each, handler in before.items():
        if callable(handler):  # an ignored signal stays ignored
            signal.signal(each, lambda number, _frame: arrived.append(number))
    try:
        yield
    finally:
        for each, handler in before.items():
            if callable(handler):
                signal.signal(each, handler)
    if arrived:
        raise KeyboardInterrupt


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
