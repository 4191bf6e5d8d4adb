"""`courier dlq renew`: a letter begins its 14 days anew, with the token, the reason and the first time it has."""

import time
from typing import TYPE_CHECKING

import typer

from courier.commands.options import SOME_NOT_DONE, Contacts, Ids, Limit, OlderThan, Reasons, Yes, confirm, filters_of
from courier.held_letters import HeldLetters
from courier.interrupts import uninterrupted
from courier.letters import EXPIRING_SECONDS, RETENTION_SECONDS
from courier.selection import Filters, Selection
from courier.sending import NotDone, renewed
from courier.terminal import view
from courier.terminal.progress import progress

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
    """Put letters on the dead-letter queue again, so that SQS keeps them for another 14 days.

    Without ids and filters: those that it would delete within 3 days. Cut off at any point, run it again: a copy has
    the same client token, and Connect sends it once.
    """
    account: Account = context.obj
    if not (ids or reason or contact or older_than):
        older_than = RETENTION_SECONDS - EXPIRING_SECONDS
    selection = Selection(filters_of(ids, reason, contact, older_than), time.time(), limit)
    with HeldLetters(account.sqs, account.queues.dead_letters, view.warn) as held:
        for _letters in selection.chosen(held.batches()):
            pass  # the selection notes their ids: what is renewed comes back under another one, and is not meant
    not_done = [*selection.missing(), *held.not_seen()]
    if not selection.ids:
        view.say("No letters to renew.")
    else:
        confirm(f"Renew {len(selection.ids)} letters?", yes=yes)
        not_done += _renew(account, Selection(Filters(ids=frozenset(selection.ids)), time.time()))
    view.not_done(not_done)
    raise typer.Exit(SOME_NOT_DONE if not_done else 0)


def _renew(account: "Account", selection: Selection) -> list[NotDone]:
    done = 0
    not_done: list[NotDone] = []
    with HeldLetters(account.sqs, account.queues.dead_letters, view.warn) as held:
        try:
            with progress("Renewed", len(selection.filters.ids)) as advance:
                for letters in selection.chosen(held.batches()):
                    with uninterrupted():
                        kept = held.move(account.queues.dead_letters, letters, [renewed(each) for each in letters])
                    not_done += kept
                    done += len(letters) - len(kept)
                    advance(len(letters))
        finally:
            view.say(f"{done} renewed.")
    return [*not_done, *selection.missing()]
