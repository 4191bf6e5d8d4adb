"""A command in two passes: it notes which letters are meant, a person confirms them, and it works through them.

What comes to the queue in between, or is put there by the command itself, is not meant.
"""

import time
from collections.abc import Callable, Sequence

from courier.aws import Account
from courier.interrupts import uninterrupted
from courier.journal import Action
from courier.queues.held_letters import HeldLetters
from courier.queues.letter import Letter
from courier.queues.selection import Filters, Selection
from courier.queues.sending import NotDone
from courier.terminal import view
from courier.terminal.progress import progress


def note(account: Account, selection: Selection) -> list[NotDone]:
    """Note the ids of the letters that are meant in `selection.ids`; return what is missing, and what may be."""
    read_payloads = bool(selection.filters.contacts)
    with HeldLetters(
        account.sqs,
        account.queues.dead_letters,
        view.warn,
        payloads=account.payloads,
        read_payloads=read_payloads,
    ) as held:
        for _letters in selection.chosen(held.batches()):
            pass
    return [*selection.missing(), *held.not_seen()]


def work_through(  # noqa: PLR0913 - the last by name
    account: Account,
    noted: Selection,
    done: str,
    act: Callable[[HeldLetters, Sequence[Letter]], list[NotDone]],
    action: Action,
    *,
    read_payloads: bool = False,
) -> list[NotDone]:
    """Act on the letters that were noted, up to ten at a time; return what is not done.

    Args:
        account: Where they are.
        noted: The selection of the first pass.
        done: What has happened to a letter afterwards, like "Renewed".
        act: Is not interrupted; returns those of the letters that it left.
        action: The journal's.
        read_payloads: Whether it needs the bodies that are in S3.
    """
    count = 0
    not_done: list[NotDone] = []
    selection = Selection(Filters(ids=frozenset(noted.ids)), time.time())
    with HeldLetters(
        account.sqs, account.queues.dead_letters, view.warn, payloads=account.payloads, read_payloads=read_payloads
    ) as held:
        try:
            with progress(done, len(noted.ids)) as advance:
                for letters in selection.chosen(held.batches()):
                    with uninterrupted():
                        action.takes(letters)
                        left = act(held, letters)
                    not_done += left
                    count += len(letters) - len(left)
                    advance(len(letters))
        finally:
            action.outcome = {done.lower(): count, "not_done": len(not_done)}
            view.say(f"{count} {done.lower()}.")
    return [*not_done, *selection.missing()]
