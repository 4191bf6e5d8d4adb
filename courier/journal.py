"""The journal: who changed what with `courier`, when, and with which result.

It is a log group of the stack, with lines of JSON. An action begins with a line, names the letters before it changes
them, and ends with a line. If the last line is missing, the action was cut off. No line holds anything of a reply:
letters are known by their ids and client tokens.
"""

from __future__ import annotations

import json
import time
import uuid
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from contract.client_token import iso
from courier import output
from courier.dead_letters import printable_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from courier.aws import Account
    from courier.dead_letters import Letter


class JournalError(Exception):
    """The action needs a journal, and has none; the text says what to do."""


class Action:
    """An action that the journal records.

    Attributes:
        outcome: The result, for the last line.
    """

    def __init__(self, write: Callable[[str, Mapping[str, Any]], None]) -> None:
        self._write = write
        self.outcome: dict[str, Any] = {}

    def record_letters(self, letters: Sequence[Letter]) -> None:
        """Record letters that are about to be sent, moved or deleted."""
        ids = [letter.id for letter in letters]
        self._write("affects", {"ids": ids, "tokens": [letter.printable_token for letter in letters]})

    def record_tokens(self, tokens: Sequence[str | None]) -> None:
        """Record the client tokens of replies that are about to be put on a queue."""
        self._write("affects", {"tokens": [printable_identifier(token) for token in tokens]})


@contextmanager
def journal(
    account: Account,
    what: str,
    *,
    required: bool = False,
    now: Callable[[], float] = time.time,
    **requested: Any,  # noqa: ANN401 - JSON
) -> Iterator[Action]:
    """Record one action. Its first line is in CloudWatch before anything is changed.

    If a line can't be written, a person is warned and the action goes on.

    Args:
        account: Where it happens, and who does it.
        what: The action, such as "dlq replay".
        required: Whether to refuse the action if its first line can't be written.
        now: Seconds since the epoch.
        requested: What the operator asked for. Values that are None, False or empty are left out.

    Raises:
        JournalError: The journal is required and can't be written. Nothing was changed.
        botocore.exceptions.ClientError, BotoCoreError: AWS did not answer who the caller is. Nothing was changed.
    """
    action_id = str(uuid.uuid4())
    lines = _Lines(account)

    def write(event: str, fields: Mapping[str, Any], *, required: bool = False) -> None:
        line = {"at": iso(now()), "action": action_id, "event": event, **fields}
        if problem := lines.write(now(), line):
            if required:
                fix = "Fix that, or use --no-journal to go on without it."
                raise JournalError(f"`{what}` needs the journal: {problem}. {fix}")
            output.warn(f"The journal does not record this: {problem}.")

    who = {"by": account.caller, "stack": account.stack, "region": account.session.region_name}
    write("started", {"what": what, **who, "requested": _printable(requested)}, required=required)
    action = Action(write)
    stopped_by = None
    try:
        yield action
    except BaseException as error:
        stopped_by = type(error).__name__
        raise
    finally:
        write("ended", {"outcome": action.outcome | ({"stopped_by": stopped_by} if stopped_by else {})})


class _Lines:
    """Writes lines to the journal's log group, until one fails."""

    def __init__(self, account: Account) -> None:
        self._logs = account.logs
        self._group = account.known_output("JournalLogGroupName")
        self._stream: str | None = None
        self._is_closed = False

    def write(self, at: float, line: Mapping[str, Any]) -> str | None:
        """Write a line at once: it names letters that are about to be changed.

        Returns:
            Why the line was not written; None if it was, or if an earlier one was not.
        """
        if self._is_closed:
            return None
        self._is_closed = True  # unless it succeeds
        if self._group is None:
            return "no stack names a log group for it"
        try:
            if self._stream is None:
                self._stream = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
                with suppress(self._logs.exceptions.ResourceAlreadyExistsException):  # an earlier action of this day
                    self._logs.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
            self._logs.put_log_events(
                logGroupName=self._group,
                logStreamName=self._stream,
                logEvents=[{"timestamp": int(at * 1000), "message": json.dumps(line)}],
            )
        except (BotoCoreError, ClientError) as error:
            code = error.response["Error"].get("Code") if isinstance(error, ClientError) else type(error).__name__
            return f"CloudWatch refused the line ({code})"
        self._is_closed = False
        return None


def _printable(requested: Mapping[str, Any]) -> dict[str, Any]:
    """Sets as sorted lists of printable identifiers; everything else as it is."""
    return {
        name: sorted(printable_identifier(each) or "(unprintable)" for each in value)
        if isinstance(value, (set, frozenset))
        else value
        for name, value in requested.items()
        if value is not None and value is not False and value != frozenset()
    }
