"""The journal: who changed what with `courier`, when, and what came of it.

JSON lines in a file on the operator's machine, and in the stack's log group for the journal. An action begins with a
line, names letters before it touches them, and ends with a line: where the last is missing, it was cut off. No line
holds anything of a reply: letters are known by their ids and client tokens.
"""

from __future__ import annotations

import errno
import os
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract.client_token import iso
from courier.journal_lines import JournalLines
from courier.queues.letter import printable_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from courier.aws import Account
    from courier.queues.letter import Letter

FILE_VARIABLE = "COURIER_JOURNAL"


class Action:
    """What is being done, line by line.

    Args:
        write: Takes a line's event and fields.
    """

    def __init__(self, write: Callable[[str, Mapping[str, Any]], None]) -> None:
        self._write = write
        self.outcome: dict[str, Any] = {}
        """What came of it, for the last line."""

    def takes(self, letters: Sequence[Letter]) -> None:
        """Note letters that are about to be sent, moved or deleted."""
        ids = [letter.id for letter in letters]
        self._write("takes", {"ids": ids, "tokens": [printable_identifier(letter.token) for letter in letters]})

    def takes_tokens(self, tokens: Sequence[str | None]) -> None:
        """Note replies that are about to be put on a queue, by their client tokens."""
        self._write("takes", {"tokens": [printable_identifier(token) for token in tokens]})


@contextmanager
def journal(
    account: Account,
    now: Callable[[], float],
    warn: Callable[[str], None],
    what: str,
    *,
    required: bool = True,
    **asked: Any,  # noqa: ANN401 - JSON
) -> Iterator[Action]:
    """Keep the journal of one action: its first line is on the disk before anything is changed.

    Args:
        account: Where it is done, and by whom.
        now: Seconds since the epoch.
        warn: Is told if a later line, or CloudWatch's copy, cannot be written. That stops nothing: it has begun.
        what: The action, such as "dlq replay".
        required: Whether nothing is done if the file cannot be written. A pause does not wait for a full disk.
        asked: What the operator asked for; values that are None or empty are left out.

    Raises:
        OSError: The file is required and cannot be written; nothing is changed.
        botocore.exceptions.ClientError, BotoCoreError: AWS does not say who asks, or where; nothing is changed.
    """
    name = str(uuid.uuid4())
    lines = JournalLines(account, journal_file(os.environ), warn)

    def write(event: str, fields: Mapping[str, Any]) -> None:
        lines.write({"at": iso(now()), "action": name, "event": event, **fields})

    begun = {"what": what, "by": account.caller, "stack": account.stack, "region": account.session.region_name}
    lines.begin({"at": iso(now()), "action": name, "event": "begun", **begun, "asked": _said(asked)}, required=required)
    action = Action(write)
    stopped = None
    try:
        yield action
    except BaseException as error:
        stopped = type(error).__name__
        raise
    finally:
        write("ended", {"outcome": action.outcome | ({"stopped_by": stopped} if stopped else {})})
        lines.end()


def journal_file(environment: Mapping[str, str]) -> Path:
    """The operator's file: as they set it, or among programs' state (XDG Base Directory Specification).

    Raises:
        OSError: They have neither set one nor a home.
    """
    if named := environment.get(FILE_VARIABLE):
        return Path(named)
    if named := environment.get("XDG_STATE_HOME"):
        state = Path(named)
    else:
        try:
            state = Path.home() / ".local" / "state"
        except RuntimeError:
            why = f"you have no home folder for it: set {FILE_VARIABLE} to a file"
            raise OSError(errno.ENOENT, why, "the journal") from None
    return state / "reply-courier" / "journal.jsonl"


def _said(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for: sets in order, ids as they may be printed."""
    return {
        name: sorted(printable_identifier(each) or "(unprintable)" for each in value)
        if isinstance(value, (set, frozenset))
        else value
        for name, value in asked.items()
        if value is not None and value is not False and value != frozenset()
    }
