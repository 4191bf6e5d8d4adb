"""`courier send` and `courier check`: replies on their way to the queue."""

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Annotated

import typer

from contract.client_token import CLIENT_TOKEN, MAX_TOKEN_CHARACTERS
from contract.message_attributes import replace_invalid_characters, string
from contract.payload import MAX_PAYLOAD_BYTES
from courier.commands.options import DONE, SOME_NOT_DONE, Json
from courier.commands.put import put
from courier.journal import journal
from courier.queues.letter_json import json_line
from courier.queues.sending import NotDone, Outgoing, sendable
from courier.replies.reply_faults import faults
from courier.replies.reply_file import Entry, opened
from courier.replies.reply_file import replies as replies_of
from courier.terminal import view

if TYPE_CHECKING:
    from courier.aws import Account

File = Annotated[str, typer.Argument(metavar="FILE|-", help="One reply as JSON, or JSON lines; - is standard input.")]
DIGEST_CHARACTERS = 32


def check(file: File, *, as_json: Json = False) -> None:
    """Tell every fault of every reply. Says where, and what would be right; asks nothing of AWS."""
    with opened(file) as content:
        raise typer.Exit(_check(content, as_json=as_json))


def send(
    context: typer.Context,
    file: File,
    *,
    token: Annotated[
        str | None, typer.Option(help="The client token of one reply.", show_default="made from the prefix")
    ] = None,
    token_prefix: Annotated[
        str | None, typer.Option(help="What the client tokens begin with.", show_default="a new one")
    ] = None,
    through_s3: Annotated[
        bool, typer.Option("--through-s3", help="Put all bodies into S3, and not only those larger than a message.")
    ] = False,
) -> None:
    """Put replies on the queue, if all of them keep the contract.

    With the same prefix, what was sent before is not sent again: each client token is the prefix and a digest of its
    reply, so that lines may come and go.
    """
    account: Account = context.obj
    if any(given is not None and replace_invalid_characters(given) != given for given in (token, token_prefix)):
        raise typer.BadParameter("a token is text, of characters that SQS takes")
    if token is not None and not 1 <= len(token) <= MAX_TOKEN_CHARACTERS:
        raise typer.BadParameter(f"a token has 1 to {MAX_TOKEN_CHARACTERS} characters")
    if token_prefix is not None and not 1 <= len(token_prefix) <= MAX_TOKEN_CHARACTERS - DIGEST_CHARACTERS - 1:
        raise typer.BadParameter(f"a prefix has 1 to {MAX_TOKEN_CHARACTERS - DIGEST_CHARACTERS - 1} characters")
    with opened(file) as content:
        if token is not None and sum(1 for _ in replies_of(content)) > 1:
            raise typer.BadParameter("--token names one reply, and here are several: use --token-prefix")
        if _check(content, as_json=False, quiet=True) != DONE:
            view.say("Nothing was sent.")
            raise typer.Exit(SOME_NOT_DONE)
        # Always one of ours: with SQS's message id as the token, a call that is repeated would send a reply twice.
        prefix = token_prefix or str(uuid.uuid4())
        is_ours = token is None and token_prefix is None
        after_a_stop = f" Run it again with --token-prefix {prefix}: no reply is sent twice." if is_ours else ""
        messages = (
            _in_s3(account, message) if through_s3 or isinstance(sendable(message), NotDone) else message
            for message in _outgoing(replies_of(content), lambda body: token or f"{prefix}.{digest(body)}")
        )
        with journal(account, time.time, view.warn, "send") as action:
            code = put(account, account.queues.replies, messages, "on the queue", action, after_a_stop)
        raise typer.Exit(code)


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
    excess = len(entry.body.encode()) - MAX_PAYLOAD_BYTES
    return [f"reply: is {excess} bytes longer than any reply that is read: make it smaller"] if excess > 0 else []


def _in_s3(account: "Account", message: Outgoing) -> Outgoing:
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
            view.warn(f"line {entry.line}: the same reply as in line {seen[token]}, put on the queue once.")
            continue
        seen[token] = entry.line
        yield Outgoing(f"line {entry.line}", body, {CLIENT_TOKEN: string(token)})


def digest(body: str) -> str:
    """A digest of a reply, the same however its JSON is laid out; of JSON that keeps the contract."""
    canonical = json.dumps(json.loads(body), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:DIGEST_CHARACTERS]
