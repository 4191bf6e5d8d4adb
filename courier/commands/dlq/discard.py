"""`courier dlq discard`."""

import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from contract.client_token import iso
from courier.commands.dlq.export_import import private_file
from courier.commands.dlq.two_passes import note, work_through
from courier.commands.options import (
    SOME_NOT_DONE,
    All,
    Contacts,
    Ids,
    Limit,
    NewerThan,
    OlderThan,
    Reasons,
    Yes,
    all_or_some,
    confirm,
    filters_of,
)
from courier.journal import journal
from courier.queues.held_letters import HeldLetters
from courier.queues.letter import Letter
from courier.queues.letter_json import json_line, with_body
from courier.queues.selection import Selection
from courier.queues.sending import NotDone, renewed, unread
from courier.terminal import view
from courier.terminal.letter_list import counted

if TYPE_CHECKING:
    from courier.aws import Account


def discard(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    ids: Ids = None,
    *,
    because: Annotated[str, typer.Option(help="Why: it is written into the file.")],
    reason: Reasons = None,
    contact: Contacts = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = None,
    every: All = False,
    to: Annotated[
        Path | None, typer.Option(help="A new file for what is removed.", show_default="in this folder")
    ] = None,
    yes: Yes = False,
) -> None:
    """Remove letters for good. What is removed is written to a file first; `dlq import` brings it back."""
    account: Account = context.obj
    filters = filters_of(ids, reason, contact, older_than, newer_than)
    all_or_some(filters, limit, every=every)
    selection = Selection(filters, time.time(), limit)
    missing = note(account, selection)
    view.not_done(missing)
    if not selection.ids:
        view.say("No letters to discard.")
        raise typer.Exit(SOME_NOT_DONE if missing else 0)
    confirm(f"Discard {view.letters(len(selection.ids))} ({counted(selection.reasons)})?", yes=yes)
    path = to or Path(time.strftime("courier-discarded-%Y%m%dT%H%M%SZ.jsonl", time.gmtime()))
    asked = asdict(filters) | {"limit": limit, "all": every}
    with private_file(path) as file, journal(account, time.time, view.warn, "dlq discard", **asked) as action:
        view.say(f"What is discarded is written to {path}.")
        not_done = work_through(
            account,
            selection,
            "Discarded",
            lambda held, letters: write_then_delete(held, file, letters, because),
            action,
            read_payloads=True,
        )
    view.not_done(not_done)
    raise typer.Exit(SOME_NOT_DONE if not_done or missing else 0)


def write_then_delete(held: HeldLetters, file: TextIO, letters: Sequence[Letter], because: str) -> list[NotDone]:
    """Write up to ten letters to the disk, then delete them; return those that are not deleted.

    A letter that an import could not bring back under its token is neither written nor deleted.

    Raises:
        OSError: They are not on the disk, and not deleted.
        botocore.exceptions.ClientError, BotoCoreError: Whether they are deleted is not known.
    """
    offers = [unread(letter) or renewed(letter) for letter in letters]
    kept = [offer for offer in offers if isinstance(offer, NotDone)]
    letters = [letter for letter, offer in zip(letters, offers, strict=True) if not isinstance(offer, NotDone)]
    note = {"discarded_at": iso(time.time()), "because": because}
    file.writelines(json_line({**with_body(letter), **note}) + "\n" for letter in letters)
    file.flush()
    os.fsync(file.fileno())
    return kept + [
        NotDone(each.name, f"is in the file, but SQS did not delete it ({each.why}): discard it again")
        for each in held.delete(letters)
    ]
