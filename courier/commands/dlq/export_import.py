"""`courier dlq export` and `courier dlq import`: letters as JSON lines, body and attributes bit for bit."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from contract.payload import PAYLOAD_SIZES
from courier.commands.options import SOME_NOT_DONE, Contacts, Limit, NewerThan, OlderThan, Reasons, filters_of
from courier.commands.put import put
from courier.journal import journal
from courier.queues.held_letters import HeldLetters
from courier.queues.letter_json import Exported, ImportLineError, json_line, read_exported, with_body
from courier.queues.selection import choose
from courier.queues.sending import NotDone, Outgoing, unread
from courier.terminal import view

if TYPE_CHECKING:
    from courier.aws import Account


@contextmanager
def private_file(path: Path) -> Iterator[TextIO]:
    """A new file that only its owner can read, for what holds replies.

    Raises:
        FileExistsError: It would overwrite something.
        OSError: It cannot be made.
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            yield file
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk does not say where it is
        raise


def export(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A new file.")],
    *,
    reason: Reasons = None,
    contact: Contacts = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = None,
) -> None:
    """Write letters to a file. They stay on the queue. The file, of JSON lines, holds whole replies: keep it safe."""
    account: Account = context.obj
    filters = filters_of(None, reason, contact, older_than, newer_than)
    count = 0
    not_read: list[NotDone] = []
    with (
        HeldLetters(
            account.sqs,
            account.queues.dead_letters,
            view.warn,
            payloads=account.payloads,
            read_payloads=bool(filters.contacts),
        ) as held,
        private_file(file) as written,
    ):
        try:
            for letter in map(held.opened, choose(held, filters, time.time(), limit)):
                written.write(json_line(with_body(letter)) + "\n")
                count += 1
                not_read += filter(None, [unread(letter)])
        except BaseException:
            file.unlink()  # half an export looks like a whole one
            raise
    view.say(f"{view.letters(count)} {'is' if count == 1 else 'are'} in {file}.")
    if not_done := [*not_read, *held.not_seen()]:
        view.not_done(not_done)
        raise typer.Exit(SOME_NOT_DONE)


def import_letters(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="From an export or a discard.")]
) -> None:
    """Put exported letters on the dead-letter queue. Body, attributes and tokens are as they were.

    Imported twice, a letter is there twice, under one token: Connect sends it once.
    """
    account: Account = context.obj
    with file.open("rb") as lines:
        faults = [each for each in _read(lines) if isinstance(each, NotDone)]
        if faults:
            view.not_done(faults)
            view.say("Nothing was imported.")
            raise typer.Exit(SOME_NOT_DONE)
        lines.seek(0)
        messages = (_outgoing(account, each) for each in _read(lines) if not isinstance(each, NotDone))
        with journal(account, time.time, view.warn, "dlq import") as action:
            code = put(account, account.queues.dead_letters, messages, "imported", action)
        raise typer.Exit(code)


def _outgoing(account: "Account", line: tuple[str, Exported]) -> Outgoing:
    """The message; a body that was in S3 is put there again, under a key of its own."""
    name, exported = line
    if exported.payload is None:
        return Outgoing(name, exported.body, exported.attributes, exported.system_attributes)
    body, pointing = account.payloads.put(exported.payload)
    own = {each: value for each, value in exported.attributes.items() if each not in PAYLOAD_SIZES}
    return Outgoing(name, body, own | pointing, exported.system_attributes)


def _read(lines: Iterable[bytes]) -> Iterator[tuple[str, Exported] | NotDone]:
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        name = f"line {number}"
        try:
            exported = read_exported(text)
        except ImportLineError as wrong:
            yield NotDone(name, str(wrong))
        else:
            yield name, exported
