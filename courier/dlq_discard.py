"""`courier dlq discard`."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Annotated, TextIO

import typer

from courier import sending, view
from courier.aws import Account
from courier.choice import Choice
from courier.dlq_files import private_file
from courier.drain import Drain, Pace
from courier.held_letters import Holding
from courier.letter_json import iso, line, whole
from courier.letters import Letter
from courier.options import SOME_NOT_DONE, Contacts, Ids, Limit, NewerThan, OlderThan, Reasons, Yes, confirm, filters_of
from courier.sending import Left
from courier.view_progress import progress


@dataclass(frozen=True)
class Discard:
    """Removes letters that are held, each when it is safe in a file."""

    account: Account
    holding: Holding
    file: TextIO
    because: str
    _lock: Lock

    def __call__(self, letters: Sequence[Letter]) -> list[Left]:
        """Write up to ten letters to the disk, then delete them; return those that are not deleted.

        Raises:
            OSError: They are not on the disk, and not deleted.
            botocore.exceptions.ClientError, BotoCoreError: Whether they are deleted is not known.
        """
        note = {"discarded_at": iso(time.time()), "because": self.because}
        with self._lock:
            self.file.writelines(line({**whole(letter), **note}) + "\n" for letter in letters)
            self.file.flush()
            os.fsync(self.file.fileno())
        left = sending.delete(self.account.sqs, self.account.queues.dead_letters, letters)
        self.holding.release([letter for letter in letters if letter.id not in {each.name for each in left}])
        return [
            Left(each.name, f"is in the file, but SQS did not delete it ({each.why}): discard it again")
            for each in left
        ]


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
    to: Annotated[
        Path | None, typer.Option(help="A new file for what is removed.", show_default="in this folder")
    ] = None,
    yes: Yes = False,
) -> None:
    """Remove letters for good. What is removed is written to a file first; `dlq import` brings it back."""
    account: Account = context.obj
    filters = filters_of(ids, reason, contact, older_than, newer_than)
    choice = Choice(filters, time.time(), limit, replays=False)
    with Holding(account.sqs, account.queues.dead_letters, view.warn) as holding:
        for letter in holding:
            choice(letter)
            if choice.full:
                break
    missing = choice.missing()
    view.left(missing)
    if not choice.ids:
        view.say("No letters to discard.")
        raise typer.Exit(SOME_NOT_DONE if missing else 0)
    confirm(f"Discard {len(choice.ids)} letters?", yes=yes)
    path = to or Path(time.strftime("courier-discarded-%Y%m%dT%H%M%SZ.jsonl", time.gmtime()))
    left = _discard(account, Choice(filters_of(list(choice.ids)), time.time(), None, replays=False), path, because)
    view.left(left)
    raise typer.Exit(SOME_NOT_DONE if left or missing else 0)


def _discard(account: Account, choice: Choice, path: Path, because: str) -> list[Left]:
    with private_file(path) as file, Holding(account.sqs, account.queues.dead_letters, view.warn) as holding:
        drain = Drain(holding, choice, Discard(account, holding, file, because, Lock()), Pace(None))
        try:
            with progress("Discarded", len(choice.filters.ids)) as tell:
                drain.run(tell)
        finally:
            view.say(f"{drain.done} discarded; they are in {path}.")
    return [*drain.left, *choice.missing()]
