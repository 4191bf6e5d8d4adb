"""Every fault of a reply, however long it is, where the function names only the first fault of a long one."""

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

from contract.client_token import CLIENT_TOKEN
from contract.identifier import is_identifier
from contract.message_attributes import string
from contract.payload import MAX_PAYLOAD_BYTES
from contract.reply import EVERY_FAULT_CHARACTERS, InvalidReplyError, every_fault, parse
from courier import output
from courier.output import EXIT_OK, EXIT_PARTIAL, Failure, json_line
from courier.sending import Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from courier.aws import Account

DIGEST_CHARACTERS = 32


def _check(content: IO[bytes], *, as_json: bool, quiet: bool = False) -> int:
    count = faulty = 0
    for entry in replies(content):
        count += 1
        found = _entry_faults(entry)
        faulty += bool(found)
        if as_json:
            output.data(json_line({"line": entry.line, "faults": found}))
        else:
            output.show_failures(Failure(f"line {entry.line}", output.printable(fault)) for fault in found)
    if not as_json and not (quiet and not faulty):
        output.say(f"{count} checked, {faulty} with faults.")
    return EXIT_PARTIAL if faulty or not count else EXIT_OK


def _entry_faults(entry: Entry) -> list[str]:
    if entry.body is None:
        return ["reply: is not UTF-8"]
    if found := reply_errors(entry.body):
        return list(found)
    excess = len(entry.body.encode()) - MAX_PAYLOAD_BYTES
    return [f"reply: is {excess} bytes longer than any reply that is read: make it smaller"] if excess > 0 else []


def _in_s3(account: Account, message: Outgoing) -> Outgoing:
    """The message with its body in S3."""
    body, pointing = account.payloads.put(message.body)
    return replace(message, body=body, attributes={**message.attributes, **pointing})


def _outgoing(entries: Iterator[Entry], token_of: Callable[[str], str]) -> Iterator[Outgoing]:
    """The messages; a reply that stands in the file twice is one message."""
    seen: dict[str, int] = {}
    for entry in entries:
        body = entry.body or ""
        token = token_of(body)
        if token in seen:
            output.warn(f"line {entry.line}: the same reply as in line {seen[token]}, put on the queue once.")
            continue
        seen[token] = entry.line
        yield Outgoing(f"line {entry.line}", body, {CLIENT_TOKEN: string(token)})


def digest(body: str) -> str:
    """A digest of a reply, the same however its JSON is laid out; of JSON that keeps the contract."""
    canonical = json.dumps(json.loads(body), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:DIGEST_CHARACTERS]


MOST = 50
"""Faults that are told: two screens. A broken producer can make a million."""


LONGEST_PATTERN_TEXT = 1_100
"""Characters, a little more than the longest text that the contract has a pattern for (a subject, 998): patterns take
time that grows with the square of a text's length."""


def reply_errors(body: str) -> tuple[str, ...]:
    """Every fault of a reply, each by its path with what would be right; none if the contract takes it.

    They are printed, so a member's name that is more than an identifier, as an address or a full name is, is left out.
    The stack's instance is not known here: an InstanceId is taken for the right one.
    """
    try:
        parse(body, _instance(body))
    except InvalidReplyError as error:
        found = error.faults if len(body) <= EVERY_FAULT_CHARACTERS else _all_faults(body) or error.faults
        names = _names(body)
        told = tuple(dict.fromkeys(_without(fault, names) for fault in found[:MOST]))
        return (*told, f"reply: {len(found) - MOST:,} more faults") if len(found) > MOST else told
    return ()


def _without(fault: str, names: Sequence[str]) -> str:
    """The sentence without these names."""
    for name in names:
        fault = fault.replace(name, "…").replace(repr(name)[1:-1], "…")
    return fault


def _names(body: str) -> list[str]:
    """The names in the body that are more than identifiers, the longest first."""
    names: set[str] = set()

    def note(pairs: list[tuple[str, Any]]) -> None:
        names.update(name for name, _ in pairs if name.strip() and not is_identifier(name))

    try:
        json.loads(body, object_pairs_hook=note)
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


def _all_faults(body: str) -> tuple[str, ...]:
    """The faults of a long reply."""
    try:
        return tuple(every_fault(_cut(json.loads(body))))
    except (ValueError, RecursionError):
        return ()


def _cut(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    match value:
        case dict():
            return {name: member if _may_be_long(name) else _cut(member) for name, member in value.items()}
        case list():
            return [_cut(each) for each in value]
        case str():
            return value[:LONGEST_PATTERN_TEXT]
    return value


def _may_be_long(name: str) -> bool:
    """Members that may be longer than any text with a pattern, and have none themselves."""
    return name in {"Body", "CustomAttributes", "CustomerProfileAttributes"}


class Entry(NamedTuple):
    """A reply, and the line on which it begins (from 1); None for a body that is not UTF-8."""

    line: int
    body: str | None


@contextmanager
def opened(name: str) -> Iterator[IO[bytes]]:
    """A file that can be read more than once: `-` is standard input, kept in a temporary file.

    Raises:
        OSError: It cannot be read.
    """
    if name != "-":
        with Path(name).open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        yield kept


def replies(file: IO[bytes]) -> Iterator[Entry]:
    """The replies of a file, from its beginning: of JSON lines one after the other, empty lines left out."""
    if _is_one_document(file):
        file.seek(0)
        yield Entry(1, _text(file.read()))
        return
    file.seek(0)
    for number, line in enumerate(file, start=1):
        if content := line.strip():
            yield Entry(number, _text(content))


def _is_one_document(file: IO[bytes]) -> bool:
    """Whether the file makes sense as a whole only: its first line is no JSON, but the whole of it is, or no line is.

    So of JSON lines with a broken first line the others are found all the same.
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
