"""`courier dlq list`."""

import heapq
import time
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

import typer

from courier.commands.options import SOME_NOT_DONE, Contacts, Json, Limit, NewerThan, OlderThan, Reasons, filters_of
from courier.queues.held_letters import HeldLetters
from courier.queues.letter_json import json_line
from courier.queues.selection import choose
from courier.terminal import view
from courier.terminal.letter_list import Row, letter_list
from courier.terminal.waiting import waiting

if TYPE_CHECKING:
    from courier.aws import Account


def list_letters(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    *,
    reason: Reasons = None,
    contact: Contacts = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = None,
    details: Annotated[
        bool, typer.Option("--details", help="Also what went wrong, with names, addresses and numbers masked.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List letters, the oldest first, and count them by reason.

    Others do not see them while this runs; then they are given back.
    """
    account: Account = context.obj
    now = time.time()
    filters = filters_of(None, reason, contact, older_than, newer_than)
    with (
        waiting("Reading the dead-letter queue", quiet=True),
        HeldLetters(
            account.sqs, account.queues.dead_letters, view.warn, payloads=account.payloads, read_payloads=bool(contact)
        ) as held,
    ):
        rows = [Row.of(letter) for letter in choose(held, filters, now)]
    oldest = heapq.nsmallest(limit or len(rows), rows, key=attrgetter("sent_at"))
    if as_json:
        for row in oldest:
            view.data(json_line(row.listed))
    elif not oldest:
        view.say(filters.none_there)
    else:
        letter_list(oldest, now, details=details)
    if not_seen := held.not_seen():
        view.not_done(not_seen)
        raise typer.Exit(SOME_NOT_DONE)
