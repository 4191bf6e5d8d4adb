"""`courier dlq groups`."""

import time
from typing import TYPE_CHECKING

import typer

from courier.commands.options import SOME_NOT_DONE, Contacts, Json, NewerThan, OlderThan, Reasons, filters_of
from courier.queues import letter_groups
from courier.queues.held_letters import HeldLetters
from courier.queues.letter_json import json_line
from courier.queues.selection import choose
from courier.terminal import view
from courier.terminal.group_page import group_page

if TYPE_CHECKING:
    from courier.aws import Account


def groups(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    *,
    reason: Reasons = None,
    contact: Contacts = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    as_json: Json = False,
) -> None:
    """Count letters by what went wrong, and say what to do. Names, ids, addresses and numbers are masked."""
    account: Account = context.obj
    now = time.time()
    filters = filters_of(None, reason, contact, older_than, newer_than)
    with HeldLetters(
        account.sqs, account.queues.dead_letters, view.warn, payloads=account.payloads, read_payloads=bool(contact)
    ) as held:
        found = letter_groups.groups(choose(held, filters, now))
    for group in found:
        if as_json:
            view.data(json_line(group.to_json()))
        else:
            group_page(group, now)
    if not found and not as_json:
        view.say(filters.none_there)
    if not_seen := held.not_seen():
        view.not_done(not_seen)
        raise typer.Exit(SOME_NOT_DONE)
