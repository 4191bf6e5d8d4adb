"""An edited letter: the text in the editor, and the token under which it is sent."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError

from contract.client_token import CLIENT_TOKEN, MAX_CHARACTERS, MESSAGE_ID, ClientTokenError, client_token
from contract.dead_letter import DETAIL
from contract.message_attributes import string
from contract.payload import PAYLOAD_SIZES
from contract.token_age import FIRST_TRIED_AT
from courier import output
from courier.dead_letters import DeadLetterReader, Letter, delete
from courier.output import EXIT_PARTIAL, Failure, confirm
from courier.payloads import UnreadableError
from courier.reply_files import reply_errors
from courier.selection import NOT_THERE, Filters, choose
from courier.sending import Outgoing, message_for_replies, payload_failure, send

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from courier.aws import Account

EDIT_SECONDS = 3_600
"""How long nobody else gets the letter while it is edited."""


SEND_SECONDS = 60


def fetch_and_hold(account: Account, letter_id: str) -> Letter:
    """Find the letter, and keep it from everybody else for as long as an edit may take."""
    filters = Filters(ids=frozenset({letter_id}))
    with DeadLetterReader(account.sqs, account.queues.dead_letters, output.warn, payloads=account.payloads) as held:
        letter = next(map(held.opened, choose(held, filters, time.time())), None)
        if letter is None:
            _stop(Failure(letter_id, NOT_THERE))
        if not_read := payload_failure(letter):
            _stop(not_read)
        _hide(account, letter, EDIT_SECONDS)
        held.release([letter])
    return letter


def _tell_what_is_wrong(letter: Letter, *, wait: bool) -> None:
    """Show the fault before the editor covers it: until a key is pressed, where somebody sits at a terminal."""
    found = reply_errors(letter.reply)
    detail = "" if found else letter.text(DETAIL)  # which has the same faults, in one long line
    output.warn(output.printable(f"{letter.reason}: {detail}" if detail else letter.reason))
    output.show_failures(Failure("the reply", output.printable(fault)) for fault in found)
    if wait and sys.stdin.isatty():
        typer.prompt("Enter opens the editor", default="", show_default=False, err=True)


@contextmanager
def _given_back(account: Account, letter: Letter) -> Iterator[None]:
    """Whatever becomes of the edit, a letter that is still there is visible again; one that was deleted is not."""
    try:
        yield
    finally:
        with suppress(BotoCoreError, ClientError):
            _hide(account, letter, 0)


@contextmanager
def _kept_on_failure(letter: Letter) -> Iterator[Path]:
    """A file that only its owner can read, with the reply in it; it stays where the edit could not be sent."""
    handle, name = tempfile.mkstemp(prefix="courier-", suffix=".json")
    file = Path(name)
    with os.fdopen(handle, "w", encoding="utf-8") as written:
        written.write(pretty(letter.reply))
    try:
        yield file
    except BaseException:
        if file.read_text(encoding="utf-8", errors="replace") == pretty(letter.reply):
            file.unlink()
        else:
            output.warn(f"Your edit is in {file}. It holds the reply: delete it when it is no longer needed.")
        raise
    file.unlink()


def _edited_body(letter: Letter, file: Path) -> str:
    """The reply as the operator has edited it, once it keeps the contract."""
    while True:
        open_editor(file)
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            text, found = "", ["reply: is not UTF-8"]
        else:
            found = [*reply_errors(text)]
        if text == pretty(letter.reply) and letter.token is not None:  # else the edit drops the token
            output.say("Nothing was changed, and nothing is sent.")
            raise typer.Exit(EXIT_PARTIAL)
        if not found:
            return compact(text)
        output.show_failures(Failure("your edit", output.printable(fault)) for fault in found)
        confirm("Edit it again?", yes=False)


def _message(account: Account, letter: Letter, body: str, *, new_token: bool, force: bool) -> Outgoing | Failure:
    """What is sent; in S3 if the reply was there, or if it has no room in a message any more."""
    own = {name: value for name, value in letter.attributes.items() if name not in PAYLOAD_SIZES}
    inline = edited_message(replace(letter, attributes=own), body, time.time(), new_token=new_token, force=force)
    if letter.payload is None and isinstance(inline, Outgoing):
        return inline
    try:
        pointing, size = account.payloads.put(body)
    except UnreadableError as error:
        return Failure(letter.id, f"is larger than a message: {error}")
    return edited_message(
        replace(letter, attributes=own | size), pointing, time.time(), new_token=new_token, force=force
    )


def _send(account: Account, letter: Letter, message: Outgoing) -> Failure | None:
    """Send the edited reply, then delete the letter; return what was not done."""
    try:
        _hide(account, letter, SEND_SECONDS)
    except ClientError:
        # Somebody else may have replayed it meanwhile, under its old token: then both would be sent.
        return Failure(letter.id, "was held for an hour, which is over: it may be gone. Look for it, and edit it again")
    if refused := send(account.sqs, account.queues.replies, [message]):
        return refused[0]
    try:
        kept = delete(account.sqs, account.queues.dead_letters, [letter])
    except (BotoCoreError, ClientError):
        kept = [Failure(letter.id, "")]
    if kept:
        return Failure(letter.id, "the edited reply is on the queue, but the letter could not be deleted: discard it")
    return None


def _hide(account: Account, letter: Letter, seconds: int) -> None:
    account.sqs.change_message_visibility(
        QueueUrl=account.queues.dead_letters, ReceiptHandle=letter.receipt_handle, VisibilityTimeout=seconds
    )


def _stop(failures: Failure) -> NoReturn:
    output.show_failures([failures])
    raise typer.Exit(EXIT_PARTIAL)


_EDITED = re.compile(r"(.+)\.edit-(\d{1,6})")


class EditorError(Exception):
    """The editor failed; the text says what to do."""


def edited_message(
    letter: Letter, body: str, now: float, *, new_token: bool = False, force: bool = False
) -> Outgoing | Failure:
    """What is sent for an edited letter: under its own token, or under a new one.

    If Connect refused the reply, its token is unused and the edited reply goes out under it. If a copy was sent, the
    same token cannot send it again; a new one would.

    Args:
        letter: As it was.
        body: The edited reply.
        now: Seconds since the epoch.
        new_token: Whether to send under a new token. It depends on the old token alone and not on the text: an edit
            that was cut off between sending and deleting, and is done again, even in other words, is sent once.
        force: Whether to send it although its token may be too old.
    """
    if new_token:
        kept = {name: value for name, value in letter.attributes.items() if name != FIRST_TRIED_AT}
        token = next_token(letter.token or client_token(letter.id, first_id(letter)))
        return message_for_replies(
            replace(letter, attributes=kept | {CLIENT_TOKEN: string(token)}, sent_at=now), now, body=body
        )
    if letter.token is None:
        usable = {n: value for n, value in letter.attributes.items() if n not in {CLIENT_TOKEN, MESSAGE_ID}}
        return message_for_replies(replace(letter, attributes=usable | first_id(letter)), now, force=force, body=body)
    return message_for_replies(letter, now, force=force, body=body)


def first_id(letter: Letter) -> dict[str, MessageAttributeValueTypeDef]:
    """The attribute of the letter's first id, if it can be used as a token."""
    first = {name: value for name, value in letter.attributes.items() if name == MESSAGE_ID}
    try:
        client_token(letter.id, first)
    except ClientTokenError:
        return {}
    return first


def pretty(body: str) -> str:
    """The body as a person edits it; one that is not JSON as it is."""
    try:
        text = json.dumps(json.loads(body), indent=2, ensure_ascii=False) + "\n"
        text.encode()  # JSON can spell half a surrogate pair, which no file can hold
    except (ValueError, RecursionError):
        return body
    return text


def compact(text: str) -> str:
    """The edited text without the editor's line breaks, which count towards SQS's limit; for JSON that was checked."""
    return json.dumps(json.loads(text), ensure_ascii=False)


def open_editor(file: Path) -> None:
    """Let the operator edit a file with $VISUAL or $EDITOR, or else vi.

    Raises:
        EditorError: It cannot be started, or it failed.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        subprocess.run([*shlex.split(editor), str(file)], check=True)  # noqa: S603 - the operator's own editor
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        text = f"The editor {editor!r} failed ({type(error).__name__}). Set EDITOR to one that works."
        raise EditorError(text) from None


def next_token(token: str) -> str:
    """The token that an edit with a new token gives."""
    first, count = (parts[1], int(parts[2])) if (parts := _EDITED.fullmatch(token)) else (token, 0)
    derived = f"{first}.edit-{count + 1}"
    return derived if len(derived) <= MAX_CHARACTERS else hashlib.sha256(token.encode()).hexdigest()
