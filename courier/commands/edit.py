"""`courier dlq edit`."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError

from contract.client_token import MAX_CHARACTERS
from courier import sending
from courier.aws import Account
from courier.commands.editing import compact, edited, open_editor, pretty, token_for_edit
from courier.commands.options import SOME_NOT_DONE, OneId, Yes, confirm
from courier.held_letters import HeldLetters
from courier.letters import Letter
from courier.reply_faults import faults
from courier.selection import NOT_THERE, Filters, choose
from courier.sending import NotDone
from courier.terminal import view

EDIT_SECONDS = 3_600
"""How long nobody else gets the letter while it is edited."""
SEND_SECONDS = 60


def edit(
    context: typer.Context,
    letter_id: OneId,
    *,
    token: Annotated[
        str | None,
        typer.Option(help="A client token of your own, for a reply whose producer has used its token twice."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also if it is older than 7 days: it may be sent twice.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Mend a letter in $EDITOR and put it on the queue of replies, if it keeps the contract.

    Its token is a new one where Connect has refused the reply, and the same where it may have been sent before.
    """
    account: Account = context.obj
    if token is not None and not 1 <= len(token) <= MAX_CHARACTERS:
        raise typer.BadParameter(f"a token has 1 to {MAX_CHARACTERS} characters")
    letter = find_and_hold(account, letter_id)
    with _given_back(account, letter):
        if letter.is_too_old(time.time()) and not force:
            _stop(NotDone(letter.id, "is older than 7 days: Connect may have forgotten its token; see --force"))
        with _kept_on_failure(letter) as file:
            body = _edited_body(letter, file)
            why = "your own" if token else token_for_edit(letter).why
            view.say(f"Client token {view.printable(token or token_for_edit(letter).token)} ({why}).")
            confirm("Send the edited reply?", yes=yes)
            _send(account, letter, body, token)
    view.say("1 edited and on the queue.")


def find_and_hold(account: Account, letter_id: str) -> Letter:
    """Find the letter, and keep it from everybody else for as long as an edit may take."""
    filters = Filters(ids=frozenset({letter_id}))
    with HeldLetters(account.sqs, account.queues.dead_letters, view.warn) as held:
        letter = next(choose(held, filters, time.time()), None)
        if letter is None:
            _stop(NotDone(letter_id, NOT_THERE))
        _hide(account, letter, EDIT_SECONDS)
        held.release([letter])
    return letter


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
        written.write(pretty(letter.body))
    try:
        yield file
    except BaseException:
        if file.read_text(encoding="utf-8", errors="replace") == pretty(letter.body):
            file.unlink()
        else:
            view.warn(f"Your edit is in {file}. It holds the reply: delete it when it is no longer needed.")
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
            found = [*faults(text)]
        if text == pretty(letter.body):
            view.say("Nothing was changed, and nothing is sent.")
            raise typer.Exit(SOME_NOT_DONE)
        if not found:
            return compact(text)
        view.not_done(NotDone("your edit", view.printable(fault)) for fault in found)
        confirm("Edit it again?", yes=False)


def _send(account: Account, letter: Letter, body: str, token: str | None) -> None:
    """Send the edited reply, then delete the letter.

    Raises:
        typer.Exit: Some of it was not done, and the operator was told.
    """
    message = edited(letter, body, token)
    if isinstance(message, NotDone):
        _stop(message)
    try:
        _hide(account, letter, SEND_SECONDS)
    except ClientError:
        # Somebody else may have replayed it meanwhile, under its old token: then both would be sent.
        _stop(
            NotDone(letter.id, "was held for an hour, and that is over: it may be gone. Look for it, and edit it again")
        )
    if refused := sending.send(account.sqs, account.queues.replies, [message]):
        _stop(refused[0])
    try:
        kept = sending.delete(account.sqs, account.queues.dead_letters, [letter])
    except (BotoCoreError, ClientError):
        kept = [NotDone(letter.id, "")]
    if kept:
        _stop(NotDone(letter.id, "the edited reply is on the queue, but the letter could not be deleted: discard it"))


def _hide(account: Account, letter: Letter, seconds: int) -> None:
    account.sqs.change_message_visibility(
        QueueUrl=account.queues.dead_letters, ReceiptHandle=letter.receipt_handle, VisibilityTimeout=seconds
    )


def _stop(not_done: NotDone) -> NoReturn:
    view.not_done([not_done])
    raise typer.Exit(SOME_NOT_DONE)
