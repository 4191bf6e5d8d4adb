"""Replies in a file: one JSON document, or JSON lines."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


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
