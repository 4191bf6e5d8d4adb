"""`courier dlq edit`."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError

from contract.client_token import client_token
from contract.dead_letter import DETAIL, Reason
from contract.payload import PAYLOAD_SIZES
from courier.aws import Account
from courier.commands.dlq.edited_reply import compact, edited, open_editor, pretty
from courier.commands.dlq.outcome import in_words, listen, more
from courier.commands.options import SOME_NOT_DONE, OneId, Timeout, Wait, Yes, confirm
from courier.journal import journal
from courier.payloads import UnreadableError
from courier.queues import sending
from courier.queues.held_letters import HeldLetters
from courier.queues.letter import Letter
from courier.queues.selection import NOT_THERE, Filters, choose
from courier.queues.sending import NotDone, Outgoing, unread
from courier.replies.reply_faults import faults
from courier.terminal import view
from courier.tracing.outcomes import Outcomes

EDIT_SECONDS = 3_600
"""How long nobody else gets the letter while it is edited."""
SEND_SECONDS = 60


def edit(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    letter_id: OneId,
    *,
    new_token: Annotated[
        bool,
        typer.Option("--new-token", help="Send it as another reply: if the first was sent, the customer gets both."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also if it was first tried more than 7 days ago: it may be sent twice.")
    ] = False,
    wait: Wait = False,
    timeout: Timeout = None,
    yes: Yes = False,
) -> None:
    """Mend a letter in $EDITOR and put it on the queue of replies.

    It has to keep the contract. It keeps its client token, so that Connect sends it once: what Connect has refused has
    not used the token.
    """
    account: Account = context.obj
    letter = find_and_hold(account, letter_id)
    with _given_back(account, letter):
        if letter.is_too_old(time.time()) and not (force or new_token):
            _stop(NotDone(letter.id, "was first tried more than 7 days ago: Connect may send it twice; see --force"))
        if letter.reason == Reason.TOKEN_ALREADY_USED and not new_token:
            view.warn("Connect has seen its token: under the same one it comes back. See --new-token.")
        _tell_what_is_wrong(letter, wait=not yes)
        with _kept_on_failure(letter) as file:
            body = _edited_body(letter, file)
            risk = " under a new client token? If the first was sent, the customer gets both." if new_token else "?"
            confirm(f"Send the edited reply{risk}", yes=yes)
            message = _message(account, letter, body, new_token=new_token, force=force)
            if isinstance(message, NotDone):
                _stop(message)
            since = time.time()
            with journal(account, time.time, view.warn, "dlq edit", new_token=new_token, force=force) as action:
                action.takes([letter])
                left = _send(account, letter, message)
                action.outcome = {"edited": 0 if left else 1}
            if left:
                _stop(left)
    view.say("1 edited and on the queue.")
    outcomes = Outcomes({client_token(letter.id, message.attributes): letter.sent_at})
    if wait:
        listen(account, outcomes, since, wait=True, timeout=timeout)
        view.say(f"{in_words(outcomes)}.")
    more(outcomes, since)
    if wait and not outcomes.all_sent:
        raise typer.Exit(SOME_NOT_DONE)


def find_and_hold(account: Account, letter_id: str) -> Letter:
    """Find the letter, and keep it from everybody else for as long as an edit may take."""
    filters = Filters(ids=frozenset({letter_id}))
    with HeldLetters(account.sqs, account.queues.dead_letters, view.warn, payloads=account.payloads) as held:
        letter = next(map(held.opened, choose(held, filters, time.time())), None)
        if letter is None:
            _stop(NotDone(letter_id, NOT_THERE))
        if not_read := unread(letter):
            _stop(not_read)
        _hide(account, letter, EDIT_SECONDS)
        held.release([letter])
    return letter


def _tell_what_is_wrong(letter: Letter, *, wait: bool) -> None:
    """Show the fault before the editor covers it: until a key is pressed, where somebody sits at a terminal."""
    found = faults(letter.reply)
    detail = "" if found else letter.text(DETAIL)  # which has the same faults, in one long line
    view.warn(view.printable(f"{letter.reason}: {detail}" if detail else letter.reason))
    view.not_done(NotDone("the reply", view.printable(fault)) for fault in found)
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
        if text == pretty(letter.reply) and letter.token is not None:  # else the edit drops the token
            view.say("Nothing was changed, and nothing is sent.")
            raise typer.Exit(SOME_NOT_DONE)
        if not found:
            return compact(text)
        view.not_done(NotDone("your edit", view.printable(fault)) for fault in found)
        confirm("Edit it again?", yes=False)


def _message(account: Account, letter: Letter, body: str, *, new_token: bool, force: bool) -> Outgoing | NotDone:
    """What is sent; in S3 if the reply was there, or if it has no room in a message any more."""
    own = {name: value for name, value in letter.attributes.items() if name not in PAYLOAD_SIZES}
    inline = edited(replace(letter, attributes=own), body, time.time(), new_token=new_token, force=force)
    if letter.payload is None and isinstance(inline, Outgoing):
        return inline
    try:
        pointing, size = account.payloads.put(body)
    except UnreadableError as no_bucket:
        return NotDone(letter.id, f"is larger than a message: {no_bucket}")
    return edited(replace(letter, attributes=own | size), pointing, time.time(), new_token=new_token, force=force)


def _send(account: Account, letter: Letter, message: Outgoing) -> NotDone | None:
    """Send the edited reply, then delete the letter; return what was not done."""
    try:
        _hide(account, letter, SEND_SECONDS)
    except ClientError:
        # Somebody else may have replayed it meanwhile, under its old token: then both would be sent.
        return NotDone(letter.id, "was held for an hour, which is over: it may be gone. Look for it, and edit it again")
    if refused := sending.send(account.sqs, account.queues.replies, [message]):
        return refused[0]
    try:
        kept = sending.delete(account.sqs, account.queues.dead_letters, [letter])
    except (BotoCoreError, ClientError):
        kept = [NotDone(letter.id, "")]
    if kept:
        return NotDone(letter.id, "the edited reply is on the queue, but the letter could not be deleted: discard it")
    return None


def _hide(account: Account, letter: Letter, seconds: int) -> None:
    account.sqs.change_message_visibility(
        QueueUrl=account.queues.dead_letters, ReceiptHandle=letter.receipt_handle, VisibilityTimeout=seconds
    )


def _stop(not_done: NotDone) -> NoReturn:
    view.not_done([not_done])
    raise typer.Exit(SOME_NOT_DONE)
