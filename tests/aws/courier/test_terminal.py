"""`courier` on a terminal of 80 columns: a real one (a pty), with real keys."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

from local.aws import ROOT
from tests.operators import Operator, texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

COLUMNS = 80
PATIENCE = 60
CTRL_C = "\x03"
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_COLOUR = re.compile(r"\x1b\[[0-9;]*[34][0-8]")


def _as_a_terminal_starts_it() -> None:
    """Ctrl-C reaches the programs whose controlling terminal it is typed into, if they do not ignore it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a test run in the background of a shell ignores it


class Terminal:
    """A terminal with `courier` running in it; `screen` is all that it has written so far."""

    def __init__(self, operator: Operator, *arguments: str) -> None:
        self._keys, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            [*operator.command, *arguments],
            cwd=ROOT,
            env={**operator.env, "TERM": "xterm-256color"},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
            preexec_fn=_as_a_terminal_starts_it,  # noqa: PLW1509 - it calls the system twice
        )
        os.close(terminal)
        self.written = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._keys)

    @property
    def screen(self) -> str:
        return _CODES.sub("", self.written)

    def type(self, keys: str) -> None:
        os.write(self._keys, keys.encode())

    def read_until(self, pattern: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.screen):
            assert time.monotonic() < deadline, f"no {pattern!r} after {PATIENCE} s"
            assert self._read(), f"ended without {pattern!r}"

    def is_ended_by_ctrl_c(self) -> None:
        """Press it, and look at how the program ends."""
        self.type(CTRL_C)
        assert self.exit_code() == 130
        assert "Traceback" not in self.screen

    def ctrl_c_until_it_ends(self) -> int:
        """Press Ctrl-C, and again: one that comes just before Python waits for a key is seen with the next one only."""
        for _ in range(PATIENCE):
            self.type(CTRL_C)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
                break
        return self.exit_code()

    def exit_code(self) -> int:
        """Read to the end, and wait for it."""
        while self._read():
            pass
        return self._process.wait(PATIENCE)

    def _read(self) -> bool:
        if not select.select([self._keys], [], [], PATIENCE)[0]:
            return False
        try:
            text = os.read(self._keys, 4096)
        except OSError:  # Linux says so when no program has the terminal open any more
            return False
        self.written += text.decode(errors="replace")
        return bool(text)


@contextmanager
def nothing_lost(operator: Operator, count: int) -> Iterator[None]:
    """Afterwards every letter is on one of the queues, none twice, and none is held."""
    operator.letters(count)
    yield
    assert operator.counts(operator.dead_letter_queue_url)[1] == 0
    places = [texts(m)["ClientToken"] for m in operator.dead_letters + operator.on_the_queue()]
    assert sorted(places) == sorted(f"token-{n}" for n in range(count))


def test_a_replay_asks_and_shows_a_bar_with_rate_and_time_left(operator: Operator) -> None:
    with nothing_lost(operator, 30), Terminal(operator, "dlq", "replay", "--all", "--rate", "20") as terminal:
        terminal.read_until(r"Replay 30 letters \(30 RetriesExhausted\) at 20 a second\? \[y/N\]:")
        terminal.type("y\r")
        terminal.read_until(r"Replayed .*\d+/30 +\d+\.\d/s +\d+:\d\d")
        assert terminal.exit_code() == 0
        assert "30/30" in terminal.screen
        assert terminal.screen.rstrip().endswith("30 replayed.")
        assert max(map(len, re.split(r"[\r\n]+", terminal.screen))) <= COLUMNS
    assert operator.dead_letters == []


def test_no_is_no(operator: Operator) -> None:
    with nothing_lost(operator, 3), Terminal(operator, "dlq", "replay", "--all") as terminal:
        terminal.read_until(r"\[y/N\]:")
        terminal.type("\r")
        assert terminal.exit_code() == 1
    assert len(operator.dead_letters) == 3


def test_ctrl_c_at_the_prompt_does_nothing(operator: Operator) -> None:
    with nothing_lost(operator, 3), Terminal(operator, "dlq", "discard", "--all", "--because", "x") as terminal:
        terminal.read_until(r"Discard 3 letters \(3 RetriesExhausted\)\? \[y/N\]:")
        assert terminal.ctrl_c_until_it_ends() in {1, 130}
    assert len(operator.dead_letters) == 3


def test_ctrl_c_in_a_replay_ends_it_with_every_letter_in_one_place(operator: Operator) -> None:
    with nothing_lost(operator, 60), Terminal(operator, "dlq", "replay", "--all", "--yes", "--rate", "10") as terminal:
        terminal.read_until(r"Replayed .*[1-9]\d*/60")
        terminal.is_ended_by_ctrl_c()
        replayed = re.search(r"(\d+) replayed\.", terminal.screen)
        assert replayed is not None
        assert 0 < int(replayed[1]) < 60


def test_ctrl_c_in_a_list_gives_every_letter_back(operator: Operator) -> None:
    with nothing_lost(operator, 300), Terminal(operator, "dlq", "list") as terminal:
        # Unread, the terminal is full after some 50 rows: the list cannot have ended when the key is pressed.
        terminal.read_until(r"RetriesExhausted")
        terminal.is_ended_by_ctrl_c()


def test_a_killed_list_gives_every_letter_back(operator: Operator) -> None:
    with nothing_lost(operator, 300), Terminal(operator, "dlq", "list") as terminal:
        terminal.read_until(r"RetriesExhausted")
        terminal._process.terminate()  # noqa: SLF001 - the terminal's own program
        assert terminal.exit_code() == 130


def test_rows_are_cut_to_the_terminal(operator: Operator) -> None:
    operator.letter('{"ContactId": "' + "c" * 200 + '"}')
    with Terminal(operator, "dlq", "list") as terminal:
        assert terminal.exit_code() == 0
        assert max(map(len, re.split(r"[\r\n]+", terminal.screen))) <= COLUMNS
        assert "ccc…" in terminal.screen


def test_no_colour_where_none_is_wanted(operator: Operator) -> None:
    for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        operator.environment = {**environment}
        with Terminal(operator, "dlq", "show", "not-there") as terminal:
            assert terminal.exit_code() == 1
            assert bool(_COLOUR.search(terminal.written)) == coloured


def test_status_is_watched_until_ctrl_c(operator: Operator) -> None:
    with nothing_lost(operator, 12), Terminal(operator, "status", "--watch") as terminal:
        terminal.read_until(r"dead letters +12 +0 +0 ")
        terminal.is_ended_by_ctrl_c()
