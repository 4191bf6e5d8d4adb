"""`courier send` and `courier check`: replies on their way to the queue."""

import uuid
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Annotated

import typer

from contract.client_token import CLIENT_TOKEN, MAX_CHARACTERS
from contract.message_attributes import string
from courier.commands.options import DONE, SOME_NOT_DONE, Json
from courier.commands.put import put
from courier.letter_json import json_line
from courier.reply_faults import faults
from courier.reply_file import Entry, opened
from courier.reply_file import replies as replies_of
from courier.sending import NotDone, Outgoing, sendable
from courier.terminal import view

if TYPE_CHECKING:
    from courier.aws import Account

File = Annotated[str, typer.Argument(metavar="FILE|-", help="One reply as JSON, or JSON lines; - is standard input.")]
ROOM_FOR_LINE = len(".1000000000")


def check(file: File, *, as_json: Json = False) -> None:
    """Tell every fault of every reply, by path, with what would be right. Asks nothing of AWS."""
    with opened(file) as content:
        raise typer.Exit(_check(content, as_json=as_json))


def send(
    context: typer.Context,
    file: File,
    *,
    token: Annotated[
        str | None, typer.Option(help="The client token; of many replies its beginning.", show_default="a new one")
    ] = None,
) -> None:
    """Put replies on the queue, if all of them keep the contract.

    With the same --token, what was sent before is not sent again: of JSON lines each gets TOKEN.LINE.
    """
    account: Account = context.obj
    if token is not None and not 1 <= len(token) <= MAX_CHARACTERS - ROOM_FOR_LINE:
        raise typer.BadParameter(f"it has to have 1 to {MAX_CHARACTERS - ROOM_FOR_LINE} characters")
    with opened(file) as content:
        if _check(content, as_json=False, quiet=True) != DONE:
            view.say("Nothing was sent.")
            raise typer.Exit(SOME_NOT_DONE)
        count = sum(1 for _ in replies_of(content))
        # Always one of ours: with SQS's message id as the token, a call that is repeated would send a reply twice.
        base = token or str(uuid.uuid4())
        after_a_stop = f" Run it again with --token {base}: no reply is sent twice." if token is None else ""
        messages = _outgoing(replies_of(content), base, many=count > 1)
        raise typer.Exit(put(account, account.queues.replies, messages, "on the queue", after_a_stop))


def _check(content: IO[bytes], *, as_json: bool, quiet: bool = False) -> int:
    count = faulty = 0
    for entry in replies_of(content):
        count += 1
        found = _faults(entry)
        faulty += bool(found)
        if as_json:
            view.data(json_line({"line": entry.line, "faults": found}))
        else:
            view.not_done(NotDone(f"line {entry.line}", view.printable(fault)) for fault in found)
    if not as_json and not (quiet and not faulty):
        view.say(f"{count} checked, {faulty} with faults.")
    return SOME_NOT_DONE if faulty or not count else DONE


def _faults(entry: Entry) -> list[str]:
    if entry.body is None:
        return ["reply: is not UTF-8"]
    if found := faults(entry.body):
        return list(found)
    size = sendable(Outgoing("", entry.body, {CLIENT_TOKEN: string("t" * MAX_CHARACTERS)}))
    return [f"reply: {size.why}"] if isinstance(size, NotDone) else []


def _outgoing(entries: Iterator[Entry], base: str, *, many: bool) -> Iterator[Outgoing]:
    for entry in entries:
        token = f"{base}.{entry.line}" if many else base
        yield Outgoing(f"line {entry.line}", entry.body or "", {CLIENT_TOKEN: string(token)})
