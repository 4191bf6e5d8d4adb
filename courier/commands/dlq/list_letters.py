"""`courier dlq list`."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from courier.commands.options import SOME_NOT_DONE, Contacts, Json, Limit, NewerThan, OlderThan, Reasons, filters_of
from courier.queues.held_letters import HeldLetters
from courier.queues.letter_json import json_line, summary
from courier.queues.selection import choose
from courier.terminal import view

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
    details: Annotated[bool, typer.Option("--details", help="With client token and times, some lines each.")] = False,
    as_json: Json = False,
) -> None:
    """List letters, the oldest first.

    Others do not see them while this runs; then they are given back.
    """
    account: Account = context.obj
    now = time.time()
    filters = filters_of(None, reason, contact, older_than, newer_than)
    rows: list[view.Row] = []
    with HeldLetters(
        account.sqs, account.queues.dead_letters, view.warn, payloads=account.payloads, read_payloads=bool(contact)
    ) as held:
        for letter in choose(held, filters, now, limit):
            if as_json:
                view.data(json_line(summary(letter)))
            else:
                rows.append(view.row_of(letter))
    if not as_json:
        view.letter_list(rows, now, details=details)
    if not_seen := held.not_seen():
        view.not_done(not_seen)
        raise typer.Exit(SOME_NOT_DONE)
