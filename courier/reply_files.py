"""Replies in a file: reading them, checking them against the contract, and the messages they become."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from contract.client_token import CLIENT_TOKEN, is_identifier
from contract.message_attributes import string
from contract.payload import MAX_PAYLOAD_BYTES
from contract.reply import ALL_ERRORS_MAX_CHARACTERS, InvalidReplyError, all_errors, parse
from courier import output
from courier.output import EXIT_OK, EXIT_PARTIAL, Failure
from courier.sending import Outgoing, check_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from courier.aws import Account

DIGEST_CHARACTERS = 32
MAX_ERRORS = 50
"""Errors that are reported for a reply: two screens. A broken producer can make a million."""
LONGEST_PATTERN_TEXT = 1_100
"""Characters, a little more than the longest text for which the contract has a pattern (a subject, 998). The time that
a pattern takes grows with the square of the text's length."""


class Entry(NamedTuple):
    """A reply, and the line where it begins (from 1). The body is None if it is not UTF-8."""

    line: int
    body: str | None


@contextmanager
def open_replies(name: str) -> Iterator[IO[bytes]]:
    """Open a file that can be read more than once; `-` is standard input, copied to a temporary file.

    Raises:
        OSError: The file can't be read.
    """
    if name != "-":
        with Path(name).open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        yield kept


def read_replies(file: IO[bytes]) -> Iterator[Entry]:
    """The replies of a file, from its beginning: one JSON document, or JSON lines without the empty ones."""
    if _is_one_document(file):
        file.seek(0)
        yield Entry(1, _text(file.read()))
        return
    file.seek(0)
    for number, line in enumerate(file, start=1):
        if content := line.strip():
            yield Entry(number, _text(content))


def check_replies(file: IO[bytes], *, as_json: bool = False, quiet: bool = False) -> int:
    """Report the errors of every reply, and return the exit code. If `quiet`, report nothing when all are valid."""
    count = invalid = 0
    for entry in read_replies(file):
        count += 1
        errors = _entry_errors(entry)
        invalid += bool(errors)
        if as_json:
            output.data(output.json_line({"line": entry.line, "faults": errors}))
        else:
            output.show_failures(Failure(f"line {entry.line}", output.printable(error)) for error in errors)
    if not as_json and not (quiet and not invalid):
        output.say(f"{count} checked, {invalid} with errors.")
    return EXIT_PARTIAL if invalid or not count else EXIT_OK


def reply_messages(
    account: Account, file: IO[bytes], make_token: Callable[[str], str], *, through_s3: bool
) -> Iterator[Outgoing]:
    """The messages for the replies of a file. A reply that is in the file twice is one message.

    Args:
        account: Where bodies are stored that are larger than a message.
        file: Valid replies.
        make_token: Returns the client token for a body.
        through_s3: Whether to store every body in S3.
    """
    first_lines: dict[str, int] = {}
    for entry in read_replies(file):
        body = entry.body or ""
        token = make_token(body)
        if token in first_lines:
            output.warn(f"line {entry.line}: the same reply as in line {first_lines[token]}, put on the queue once.")
            continue
        first_lines[token] = entry.line
        message = Outgoing(f"line {entry.line}", body, {CLIENT_TOKEN: string(token)})
        if through_s3 or isinstance(check_size(message), Failure):
            pointing_body, pointer = account.payloads.put(body)
            message = replace(message, body=pointing_body, attributes={**message.attributes, **pointer})
        yield message


def digest(body: str) -> str:
    """A digest of a valid reply that does not depend on the layout of its JSON."""
    canonical = json.dumps(json.loads(body), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:DIGEST_CHARACTERS]


def reply_errors(body: str) -> tuple[str, ...]:
    """Every error of a reply, each with its path and what would be right; empty if the reply is valid.

    The function reports only the first error of a long reply. This reports all of them. Errors are printed, so names
    of members that are not identifiers, such as an address, are left out. The stack's instance is not known here, so
    every InstanceId is accepted.
    """
    try:
        parse(body, _instance(body))
    except InvalidReplyError as error:
        found = error.errors if len(body) <= ALL_ERRORS_MAX_CHARACTERS else _all_errors(body) or error.errors
        names = _unprintable_names(body)
        errors = tuple(dict.fromkeys(_without(text, names) for text in found[:MAX_ERRORS]))
        return (*errors, f"reply: {len(found) - MAX_ERRORS:,} more errors") if len(found) > MAX_ERRORS else errors
    return ()


def _entry_errors(entry: Entry) -> list[str]:
    if entry.body is None:
        return ["reply: is not UTF-8"]
    if errors := reply_errors(entry.body):
        return list(errors)
    excess = len(entry.body.encode()) - MAX_PAYLOAD_BYTES
    return [f"reply: is {excess} bytes longer than the longest reply; make it smaller"] if excess > 0 else []


def _is_one_document(file: IO[bytes]) -> bool:
    """Whether the file is one JSON document, rather than JSON lines.

    The first line of a document is not JSON by itself, and either the whole file is, or no line is. If only the first
    of some JSON lines is broken, the others are still read.
    """
    file.seek(0)
    first = next((content for line in file if (content := line.strip())), b"")
    if _is_json(first):
        return False
    file.seek(0)
    if _is_json(file.read()):
        return True
    file.seek(0)
    return not any(content.startswith(b"{") and _is_json(content) for line in file if (content := line.strip()))


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _without(error: str, names: Sequence[str]) -> str:
    for name in names:
        error = error.replace(name, "…").replace(repr(name)[1:-1], "…")
    return error


def _unprintable_names(body: str) -> list[str]:
    """The names in the body that are not identifiers, the longest first."""
    names: set[str] = set()

    def collect(pairs: list[tuple[str, Any]]) -> None:
        names.update(name for name, _ in pairs if name.strip() and not is_identifier(name))

    try:
        json.loads(body, object_pairs_hook=collect)
    except (ValueError, RecursionError):
        return []
    return sorted(names, key=len, reverse=True)


def _instance(body: str) -> str:
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    instance = reply.get("InstanceId") if isinstance(reply, dict) else None
    return instance if isinstance(instance, str) else ""


def _all_errors(body: str) -> tuple[str, ...]:
    """Every error of a long reply."""
    try:
        return tuple(all_errors(_shortened(json.loads(body))))
    except (ValueError, RecursionError):
        return ()


def _shortened(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """The reply with its texts cut to LONGEST_PATTERN_TEXT, except those that may be longer and have no pattern."""
    match value:
        case dict():
            unlimited = {"Attributes", "Body", "CustomAttributes", "CustomerProfileAttributes"}
            return {name: each if name in unlimited else _shortened(each) for name, each in value.items()}
        case list():
            return [_shortened(each) for each in value]
        case str():
            return value[:LONGEST_PATTERN_TEXT]
    return value
