"""The journal: who changed what with `courier`, when, and what came of it.

JSON lines in a file on the operator's machine, and in the stack's log group for the journal. An action begins with a
line, names letters before it touches them, and ends with a line: where the last is missing, it was cut off. No line
holds anything of a reply: letters are known by their ids and client tokens.
"""

from __future__ import annotations

import errno
import json
import os
import uuid
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from contract.token_age import iso
from courier.dead_letters import printable_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

    from courier.aws import Account
    from courier.dead_letters import Letter

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

    def record_letters(self, letters: Sequence[Letter]) -> None:
        """Note letters that are about to be sent, moved or deleted."""
        ids = [letter.id for letter in letters]
        self._write("takes", {"ids": ids, "tokens": [printable_identifier(letter.token) for letter in letters]})

    def record_tokens(self, tokens: Sequence[str | None]) -> None:
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


LINES_PER_CALL = 100
"""A line has at most ten letters, whose tokens have at most 500 characters each: far below PutLogEvents' 1 MiB.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""


class JournalLines:
    """Writes each line to the file at once, and to CloudWatch at the beginning and at the end.

    Args:
        account: Has the journal's log group, if the stack has one.
        path: The file.
        warn: Is told what could not be written, where that stops nothing.
    """

    def __init__(self, account: Account, path: Path, warn: Callable[[str], None]) -> None:
        self._account = account
        self._path = path
        self._warn = warn
        self._kept: list[str] = []
        self._log_group = account.known_output("JournalLogGroupName")

    def begin(self, line: Mapping[str, Any], *, required: bool) -> None:
        """Write an action's first line to both.

        Raises:
            OSError: The file is required and cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._append(line)
        except OSError as error:
            if required:
                error.filename = f"the journal {self._path}"
                raise
            self._tell(error)
        self._copy()

    def write(self, line: Mapping[str, Any]) -> None:
        """Write a line to the file, and keep it for CloudWatch."""
        try:
            self._append(line)
        except OSError as error:
            self._tell(error)

    def end(self) -> None:
        """Bring what is kept to CloudWatch."""
        self._copy()

    def _tell(self, error: OSError) -> None:
        self._warn(f"The journal {self._path} cannot be written: {error.strerror}.")

    def _append(self, line: Mapping[str, Any]) -> None:
        text = json.dumps(line)
        self._kept.append(text)
        content = f"{text}\n".encode("ascii")
        with open(self._path, "ab+", buffering=len(content) + 1, opener=_private) as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    content = b"\n" + content  # the disk was full: the line before is half a line
            # One write to the end of the file: lines of two operators, or of two terminals, do not mix.
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def _copy(self) -> None:
        """Bring what CloudWatch does not have there."""
        lines, self._kept = self._kept, []
        if self._log_group is None:
            return
        try:
            _put(self._account, self._log_group, lines)
        except (BotoCoreError, ClientError) as error:
            code = error.response["Error"].get("Code") if isinstance(error, ClientError) else type(error).__name__
            self._warn(
                f"The journal in CloudWatch could not be written ({code}): these lines are in {self._path} alone."
            )
            self._log_group = None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _put(account: Account, log_group: str, lines: Iterable[str]) -> None:
    events: list[InputLogEventTypeDef] = [
        {"timestamp": int(datetime.fromisoformat(json.loads(line)["at"]).timestamp() * 1000), "message": line}
        for line in lines
    ]
    stream = f"{datetime.fromtimestamp(events[0]['timestamp'] / 1000, UTC):%Y-%m-%d}"
    with suppress(account.logs.exceptions.ResourceAlreadyExistsException):  # of an earlier action of this day
        account.logs.create_log_stream(logGroupName=log_group, logStreamName=stream)
    for start in range(0, len(events), LINES_PER_CALL):
        account.logs.put_log_events(
            logGroupName=log_group, logStreamName=stream, logEvents=events[start : start + LINES_PER_CALL]
        )
