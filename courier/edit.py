"""An edit: the operator fixes a letter's reply in an editor, and the reply goes back to the queue of replies."""

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

from contract.client_token import (
    CLIENT_TOKEN,
    FIRST_TRIED_AT,
    MAX_TOKEN_CHARACTERS,
    MESSAGE_ID,
    ClientTokenError,
    client_token,
)
from contract.dead_letter import DETAIL, Reason
from contract.message_attributes import string
from contract.payload import PAYLOAD_SIZES
from courier import output
from courier.dead_letters import delete_letters
from courier.interrupts import uninterrupted
from courier.journal import journal
from courier.outcomes import Outcomes
from courier.output import EXIT_PARTIAL, Failure
from courier.payloads import UnreadableError
from courier.reply_files import reply_errors
from courier.selection import Filters, Selection
from courier.sending import Outgoing, message_for_reply_queue, send

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from courier.aws import Account
    from courier.dead_letters import Letter

HOLD_SECONDS = 3_600
"""How long the letter is hidden from everyone else during an edit."""
SEND_SECONDS = 60
"""How long it is hidden while the edited reply is sent."""
_EDITED_TOKEN = re.compile(r"(.+)\.edit-(\d{1,6})")


class EditorError(Exception):
    """The editor failed; the text says what to do."""


def edit_letter(  # noqa: PLR0913 - the command's options
    account: Account, letter_id: str, *, new_token: bool, force: bool, yes: bool, journal_required: bool
) -> tuple[Outcomes, float]:
    """Have the operator edit a letter, send the edited reply, and delete the letter.

    Returns:
        The outcome to wait for, and when the reply was put on the queue, in seconds since the epoch.

    Raises:
        typer.Exit: The reply was not sent. The operator knows why.
        EditorError: The editor failed.
        courier.journal.JournalError: The journal is required and can't be written.
        botocore.exceptions.ClientError, BotoCoreError: A call failed.
    """
    letter = fetch_and_hold(account, letter_id)
    with _visible_afterwards(account, letter):
        if letter.token_expired(time.time()) and not (force or new_token):
            why = "was first tried more than 7 days ago: Connect may send it twice; see --force"
            _exit_with(Failure(letter.id, why))
        if letter.reason == Reason.TOKEN_ALREADY_USED and not new_token:
            output.warn("Connect has seen this letter's token, so the reply will come back. See --new-token.")
        _show_errors(letter, pause=not yes)
        with _kept_on_failure(letter) as file:
            body = _edited_body(letter, file)
            risk = " under a new client token? If the first was sent, the customer gets both." if new_token else "?"
            output.confirm(f"Send the edited reply{risk}", yes=yes)
            message = _outgoing(account, letter, body, new_token=new_token, force=force)
            if isinstance(message, Failure):
                _exit_with(message)
            since = time.time()
            with uninterrupted():  # an interruption must not come between the send and its report
                required = journal_required
                with journal(account, "dlq edit", required=required, new_token=new_token, force=force) as action:
                    action.record_letters([letter])
                    failure = send_and_delete(account, letter, message)
                    action.outcome = {"edited": 0 if failure else 1}
                if failure:
                    _exit_with(failure)
                output.say("1 edited and on the queue.")
    outcomes = Outcomes()
    outcomes.add(replace(letter, attributes=message.attributes))
    return outcomes, since


def fetch_and_hold(account: Account, letter_id: str) -> Letter:
    """Find a letter, and hide it from everyone else for HOLD_SECONDS.

    Raises:
        typer.Exit: There is no such letter, or its body can't be read now.
    """
    selection = Selection(Filters(ids=frozenset({letter_id})), time.time())
    with account.dead_letters() as reader:
        letter = next(map(reader.with_payload, selection.letters(reader)), None)
        if letter is None:
            _exit_with(*selection.failures)
        if failure := letter.payload_failure:
            _exit_with(failure)
        _hide(account, letter, HOLD_SECONDS)
        reader.exclude_from_release([letter])
    return letter


def edited_message(
    letter: Letter, body: str, now: float, *, new_token: bool = False, force: bool = False
) -> Outgoing | Failure:
    """The message for an edited letter, under its own token or a new one.

    If Connect refused the reply, its token is unused, and the edited reply goes out under it. If a copy was sent, the
    same token can't send it again; a new one would.

    Args:
        letter: The letter before the edit.
        body: The edited reply.
        now: Seconds since the epoch.
        new_token: Whether to use a new token. It depends on the old token only, not on the text: an edit that was
            interrupted between sending and deleting is sent once, even if the operator repeats it in other words.
        force: Whether to send it although its token expired.
    """
    if new_token:
        kept = {name: value for name, value in letter.attributes.items() if name != FIRST_TRIED_AT}
        token = next_token(letter.token or client_token(letter.id, _first_id(letter)))
        fresh = replace(letter, body=body, attributes=kept | {CLIENT_TOKEN: string(token)}, sent_at=now)
        return message_for_reply_queue(fresh, now)
    if letter.token is None:  # its attribute can't be used, so its first id is its token
        usable = {n: value for n, value in letter.attributes.items() if n not in {CLIENT_TOKEN, MESSAGE_ID}}
        letter = replace(letter, attributes=usable | _first_id(letter))
    return message_for_reply_queue(replace(letter, body=body), now, force=force)


def next_token(token: str) -> str:
    """The new token of an edit: t, t.edit-1, t.edit-2 and so on."""
    first, count = (parts[1], int(parts[2])) if (parts := _EDITED_TOKEN.fullmatch(token)) else (token, 0)
    derived = f"{first}.edit-{count + 1}"
    return derived if len(derived) <= MAX_TOKEN_CHARACTERS else hashlib.sha256(token.encode()).hexdigest()


def send_and_delete(account: Account, letter: Letter, message: Outgoing) -> Failure | None:
    """Send the edited reply, then delete the letter; return what failed."""
    try:
        _hide(account, letter, SEND_SECONDS)
    except ClientError:
        # Someone else may have replayed it under its old token. Then both would be sent.
        return Failure(letter.id, "was held for an hour, and that is over: it may be gone; find it, and edit it again")
    if refused := send(account.sqs, account.queues.replies, [message]):
        return refused[0]
    try:
        failures = delete_letters(account.sqs, account.queues.dead_letters, [letter])
    except (BotoCoreError, ClientError):
        failures = [Failure(letter.id, "")]
    if failures:
        return Failure(letter.id, "the edited reply is on the queue, but the letter was not deleted; discard it")
    return None


def format_reply(body: str) -> str:
    """The body as a person edits it: indented JSON, or as it is if it isn't JSON."""
    try:
        text = json.dumps(json.loads(body), indent=2, ensure_ascii=False) + "\n"
        text.encode()  # JSON can spell half of a surrogate pair, which no file can hold
    except (ValueError, RecursionError):
        return body
    return text


def _show_errors(letter: Letter, *, pause: bool) -> None:
    """Show what is wrong before the editor covers it. At a terminal, wait for a key."""
    errors = reply_errors(letter.reply)
    detail = "" if errors else letter.text(DETAIL)  # otherwise it holds the same errors in one long line
    output.warn(output.printable(f"{letter.reason}: {detail}" if detail else letter.reason))
    output.show_failures(Failure("the reply", output.printable(error)) for error in errors)
    if pause and sys.stdin.isatty():
        output.wait_for_enter("Press Enter to open the editor")


@contextmanager
def _visible_afterwards(account: Account, letter: Letter) -> Iterator[None]:
    """Make the letter visible again at the end, unless it was deleted."""
    try:
        yield
    finally:
        with suppress(BotoCoreError, ClientError):
            _hide(account, letter, 0)


@contextmanager
def _kept_on_failure(letter: Letter) -> Iterator[Path]:
    """A file that only its owner can read, with the reply in it. It stays if the edited reply was not sent."""
    handle, name = tempfile.mkstemp(prefix="courier-", suffix=".json")
    file = Path(name)
    with os.fdopen(handle, "w", encoding="utf-8") as written:
        written.write(format_reply(letter.reply))
    try:
        yield file
    except BaseException:
        if file.read_text(encoding="utf-8", errors="replace") == format_reply(letter.reply):
            file.unlink()
        else:
            output.warn(f"Your edit is in {file}. It holds the reply, so delete it when you no longer need it.")
        raise
    file.unlink()


def _edited_body(letter: Letter, file: Path) -> str:
    """Open the editor until the reply matches the contract."""
    while True:
        _open_editor(file)
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            text, errors = "", ["reply: is not UTF-8"]
        else:
            errors = [*reply_errors(text)]
        if text == format_reply(letter.reply) and letter.token is not None:  # otherwise the edit drops the token
            output.say("Nothing was changed, and nothing is sent.")
            raise typer.Exit(EXIT_PARTIAL)
        if not errors:
            # Without the editor's line breaks, which count towards SQS's limit.
            return json.dumps(json.loads(text), ensure_ascii=False)
        output.show_failures(Failure("your edit", output.printable(error)) for error in errors)
        output.confirm("Edit it again?", yes=False)


def _open_editor(file: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        subprocess.run([*shlex.split(editor), str(file)], check=True)  # noqa: S603 - the operator's own editor
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        text = f"The editor {editor!r} failed ({type(error).__name__}). Set EDITOR to one that works."
        raise EditorError(text) from None


def _outgoing(account: Account, letter: Letter, body: str, *, new_token: bool, force: bool) -> Outgoing | Failure:
    """The message to send. Its body is in S3 if the reply was there, or if it no longer fits into a message."""
    own = {name: value for name, value in letter.attributes.items() if name not in PAYLOAD_SIZES}
    inline = edited_message(replace(letter, attributes=own), body, time.time(), new_token=new_token, force=force)
    if letter.payload is None and isinstance(inline, Outgoing):
        return inline
    try:
        pointer, size = account.payloads.put(body)
    except UnreadableError as error:
        return Failure(letter.id, f"is larger than a message: {error}")
    large = replace(letter, attributes=own | size)
    return edited_message(large, pointer, time.time(), new_token=new_token, force=force)


def _first_id(letter: Letter) -> dict[str, MessageAttributeValueTypeDef]:
    """The attribute with the letter's first id, if it can be used as a token."""
    first = {name: value for name, value in letter.attributes.items() if name == MESSAGE_ID}
    try:
        client_token(letter.id, first)
    except ClientTokenError:
        return {}
    return first


def _hide(account: Account, letter: Letter, seconds: int) -> None:
    account.sqs.change_message_visibility(
        QueueUrl=account.queues.dead_letters, ReceiptHandle=letter.receipt_handle, VisibilityTimeout=seconds
    )


def _exit_with(*failures: Failure) -> NoReturn:
    output.show_failures(failures)
    raise typer.Exit(EXIT_PARTIAL)
