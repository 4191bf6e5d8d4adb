"""`courier status`, `courier dlq list` and `courier dlq show`: nothing is changed by them."""

import time
from collections.abc import Iterator
from typing import Annotated

import typer

from courier import view
from courier.aws import Account
from courier.filters import select
from courier.held_letters import Holding
from courier.letter_json import line, summary, whole
from courier.options import (
    NOT_THERE,
    SOME_NOT_DONE,
    Contacts,
    Json,
    Limit,
    NewerThan,
    OlderThan,
    OneId,
    Reasons,
    filters_of,
)
from courier.sending import Left
from courier.status import Status
from courier.status import status as ask
from courier.view_letter import letter_page

WATCH_SECONDS = 5


def status(
    context: typer.Context,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Ask again every few seconds, until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Show how many replies and dead letters there are, how old, and why."""
    account: Account = context.obj
    statuses = _again_and_again(account) if watch else iter([ask(account, time.time(), view.warn)])
    if as_json:
        for each in statuses:
            view.data(line(each.form()))
    else:
        view.watch(statuses)


def _again_and_again(account: Account) -> Iterator[Status]:
    before = None
    while True:
        yield (before := ask(account, time.time(), view.warn, before))
        time.sleep(WATCH_SECONDS)


def list_letters(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    *,
    reason: Reasons = None,
    contact: Contacts = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """List letters, each once. Others do not see them while this runs; then they are given back."""
    account: Account = context.obj
    now = time.time()
    filters = filters_of(None, reason, contact, older_than, newer_than)
    if not as_json:
        view.head()
    with Holding(account.sqs, account.queues.dead_letters, view.warn) as holding:
        for letter in select(holding, filters, now, limit):
            if as_json:
                view.data(line(summary(letter)))
            else:
                view.letter_row(letter, now)


def show(context: typer.Context, letter_id: OneId, *, as_json: Json = False) -> None:
    """Show a letter: its history, its Detail, and the reply itself, addresses and all."""
    account: Account = context.obj
    filters = filters_of([letter_id])
    with Holding(account.sqs, account.queues.dead_letters, view.warn) as holding:
        letter = next(select(holding, filters, time.time()), None)
    if letter is None:
        view.left([Left(letter_id, NOT_THERE)])
        raise typer.Exit(SOME_NOT_DONE)
    if as_json:
        view.data(line(whole(letter)))
    else:
        letter_page(letter, time.time())
