"""Where the journal's lines go: to a file on the operator's machine at once, and to CloudWatch Logs in batches."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

    from courier.aws import Account

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
