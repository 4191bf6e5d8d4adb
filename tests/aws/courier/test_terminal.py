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
from tests.forking import popen
from tests.log_lines import fields
from tests.operators import Operator, texts
from tests.samples import reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

COLUMNS = 80
PATIENCE = 300
"""Seconds that a program may take for the next thing that it writes; it ends a run that hangs."""
CTRL_C = "\x03"
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_COLOUR = re.compile(r"\x1b\[[0-9;]*[34][0-8]")


class Terminal:
    """A terminal with `courier` running in it; `screen` is all that it has written so far."""

    def __init__(self, operator: Operator, *arguments: str) -> None:
        self._keys, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        self._process = popen(
            [*operator.command, *arguments],
            cwd=ROOT,
            env={**operator.env, "TERM": "xterm-256color"},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
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
        code = self.exit_code()
        # A key that comes while Python ends kills it. A shell calls that 130, too.
        return 130 if code == -signal.SIGINT else code

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
        assert re.search(
            r"30 replayed\.\s+0 sent, 0 came back, 30 not known yet\.\s+To follow them: courier status",
            terminal.screen,
        )
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
        assert terminal.ctrl_c_until_it_ends() == 130
        assert "--yes" not in terminal.screen
    assert len(operator.dead_letters) == 3


def test_ctrl_c_in_a_replay_ends_it_with_every_letter_in_one_place(operator: Operator) -> None:
    with nothing_lost(operator, 60), Terminal(operator, "dlq", "replay", "--all", "--yes", "--rate", "10") as terminal:
        terminal.read_until(r"Replayed .*[1-9]\d*/60")
        terminal.is_ended_by_ctrl_c()
        replayed = re.search(r"(\d+) replayed\.", terminal.screen)
        assert replayed is not None
        assert 0 < int(replayed[1]) < 60


def test_ctrl_c_in_a_wait_shows_the_outcomes_so_far(operator: Operator) -> None:
    with nothing_lost(operator, 2), Terminal(operator, "dlq", "replay", "--all", "--yes", "--wait") as terminal:
        terminal.read_until("Waiting until")
        terminal.is_ended_by_ctrl_c()
        assert re.search(r"0 sent, 0 came back, 2 not known yet\.\s+To follow them: courier status", terminal.screen)


def test_ctrl_c_in_the_wait_for_a_canary_leaves_the_others(operator: Operator) -> None:
    with nothing_lost(operator, 3), Terminal(operator, "dlq", "replay", "--all", "--yes", "--canary", "1") as terminal:
        terminal.read_until("Waiting until")
        terminal.is_ended_by_ctrl_c()
        assert "Of the first 1: 0 sent, 0 came back, 1 not known yet. The others stay." in terminal.screen
        assert "To follow it: courier trace token-" in terminal.screen
    assert len(operator.dead_letters) == 2


def test_ctrl_c_before_the_editor_opens_ends_the_edit(operator: Operator) -> None:
    with Terminal(operator, "dlq", "edit", operator.letter()) as terminal:
        terminal.read_until("Press Enter to open the editor")
        assert terminal.ctrl_c_until_it_ends() == 130
        assert "Aborted" not in terminal.screen


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


def widest(terminal: Terminal) -> int:
    return max(map(len, re.split(r"[\r\n]+", terminal.screen)))


def test_a_list_shows_ids_and_contacts_whole_below_their_reasons(operator: Operator) -> None:
    contact = "c0ffee00-0000-4000-8000-000000000001"
    letters = [operator.letter(reply(ContactId=contact)), operator.letter(reply(ContactId=contact), Reason="Refused")]
    with Terminal(operator, "dlq", "list") as terminal:
        assert terminal.exit_code() == 0
        for letter, reason in zip(letters, ("NotFound", "Refused"), strict=True):
            assert re.search(rf"{reason} *\r\n +\d+s {letter} {contact}", terminal.screen)
        assert "2 letters: " in terminal.screen
        assert widest(terminal) <= COLUMNS


def test_the_whole_of_show_that_matters_is_on_the_last_screen(operator: Operator) -> None:
    copies = [{"EmailAddress": f"copy-{n}@customer.example"} for n in range(49)]
    letter = operator.letter(reply(AdditionalRecipients={"CcEmailAddresses": copies}), Detail="Contact not found")
    with Terminal(operator, "dlq", "show", letter) as terminal:
        assert terminal.exit_code() == 0
        last = "\n".join(terminal.screen.splitlines()[-20:])
        assert all(text in last for text in (letter, "NotFound", "Contact not found", "courier dlq replay --reason"))
        assert widest(terminal) <= COLUMNS


def test_the_fault_stays_until_enter_opens_the_editor(operator: Operator, tmp_path: Path) -> None:
    operator.edits_with(tmp_path, "print('the editor')\ntext = text.replace('contact-1', 'contact-2')")
    with Terminal(operator, "dlq", "edit", operator.letter()) as terminal:
        terminal.read_until(r"NotFound: Contact not found \(404\)\s+Press Enter to open the editor")
        assert "the editor\r\n" not in terminal.screen
        terminal.type("\r")
        terminal.read_until(r"Send the edited reply\? \[y/N\]:")
        terminal.type("y\r")
        assert terminal.exit_code() == 0
        assert "To follow it: courier trace" in terminal.screen


def test_a_canary_is_told_line_by_line(operator: Operator) -> None:
    operator.letters(12)
    operator.will_log(*(fields("reply_sent", client_token=f"token-{n}") for n in range(12)))
    with Terminal(operator, "dlq", "replay", "--all", "--canary", "3", "--wait") as terminal:
        terminal.read_until(r"Replay 12 letters \(12 RetriesExhausted\), 3 first\? \[y/N\]:")
        terminal.type("y\r")
        assert terminal.exit_code() == 0
        assert "Of the first 3: 3 sent, 0 came back, 0 not known yet. The others follow." in terminal.screen
        assert "9/9" in terminal.screen
        assert "12 replayed." in terminal.screen
        assert "\r12 sent, 0 came back, 0 not known yet.\r\n" in terminal.screen
        assert max(map(len, re.split(r"[\r\n]+", terminal.screen))) <= COLUMNS


def test_nobody_is_told_aborted_and_nothing_is_broken_inside_a_word(operator: Operator) -> None:
    operator.letters(3)
    with Terminal(operator, "dlq", "replay", "--all") as terminal:
        terminal.read_until(r"\[y/N\]:")
        terminal.type("\x04")
        assert terminal.exit_code() == 1
        assert terminal.screen.count("Aborted") == 1
        assert "Aborted: no confirmation." in " ".join(terminal.screen.split())
        assert widest(terminal) <= COLUMNS


def test_a_pause_says_what_it_waits_for_and_status_shows_it_in_red(operator: Operator) -> None:
    with Terminal(operator, "pause") as terminal:
        terminal.read_until(r"Replies in flight may be sent for another")
        terminal.read_until(r"Drafts still expire")
        assert terminal.exit_code() == 0
        assert "Sending is paused, by user/moto since" in terminal.screen
    with Terminal(operator, "status") as terminal:
        assert terminal.exit_code() == 0
        assert re.search(r"\x1b\[1;31mPAUSED by user/moto since", terminal.written)
        assert widest(terminal) <= COLUMNS
    with Terminal(operator, "resume") as terminal:
        terminal.read_until(r"Sending has resumed")
        assert terminal.exit_code() == 0


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
        terminal.read_until(r"As of \d\d:\d\d:\d\d, updated every 5 s")
        terminal.is_ended_by_ctrl_c()


def test_the_doctor_has_colours_and_keeps_within_the_terminal(operator: Operator) -> None:
    with Terminal(operator, "doctor") as terminal:
        assert terminal.exit_code() == 1
        assert "\x1b[32mgood" in terminal.written
        assert "\x1b[1;31mbad" in terminal.written
        assert re.search(r"→ open the link in the mail", terminal.screen)
        assert max(map(len, re.split(r"[\r\n]+", terminal.screen))) <= COLUMNS
