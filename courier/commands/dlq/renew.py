"""`courier dlq renew`: a letter begins its 14 days anew, with the token, the reason and the first time it has."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import typer

from courier.commands.dlq.two_passes import note, work_through
from courier.commands.options import SOME_NOT_DONE, Contacts, Ids, Limit, OlderThan, Reasons, Yes, confirm, filters_of
from courier.journal import journal
from courier.queues.held_letters import HeldLetters
from courier.queues.letter import EXPIRING_SECONDS, RETENTION_SECONDS, Letter
from courier.queues.replaying import move
from courier.queues.selection import Selection
from courier.queues.sending import NotDone, renewed
from courier.terminal import view
from courier.terminal.letter_list import counted

if TYPE_CHECKING:
    from courier.aws import Account


def renew(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    ids: Ids = None,
    *,
    reason: Reasons = None,
    contact: Contacts = None,
    older_than: OlderThan = None,
    limit: Limit = None,
    yes: Yes = False,
) -> None:
    """Have SQS keep letters for another 14 days. It puts them on the dead-letter queue again.

    Without ids and filters: those that it would delete within 3 days. Cut off at any point, run it again: a copy has
    the same client token, and Connect sends it once.
    """
    account: Account = context.obj
    if not (ids or reason or contact or older_than):
        older_than = RETENTION_SECONDS - EXPIRING_SECONDS
    filters = filters_of(ids, reason, contact, older_than)
    selection = Selection(filters, time.time(), limit)
    not_done = note(account, selection)
    if not selection.ids:
        view.say("No letters to renew.")
    else:
        confirm(f"Renew {view.letters(len(selection.ids))} ({counted(selection.reasons)})?", yes=yes)
        with journal(account, time.time, view.warn, "dlq renew", **asdict(filters), limit=limit) as action:
            not_done += work_through(account, selection, "Renewed", partial(_renew, account), action)
    view.not_done(not_done)
    raise typer.Exit(SOME_NOT_DONE if not_done else 0)


def _renew(account: "Account", held: HeldLetters, letters: Sequence[Letter]) -> list[NotDone]:
    return move(held, account.queues.dead_letters, letters, [renewed(each) for each in letters])
