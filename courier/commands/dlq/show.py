"""`courier dlq show`."""

import time
from typing import TYPE_CHECKING

import typer

from courier.commands.options import SOME_NOT_DONE, Json, OneId, filters_of
from courier.queues.held_letters import HeldLetters
from courier.queues.letter_json import json_line, with_body
from courier.queues.selection import NOT_THERE, choose
from courier.queues.sending import NotDone
from courier.terminal import view
from courier.terminal.letter_page import letter_page

if TYPE_CHECKING:
    from courier.aws import Account


def show(context: typer.Context, letter_id: OneId, *, as_json: Json = False) -> None:
    """Show a letter: the reply, its history and what to do. It shows addresses and all."""
    account: Account = context.obj
    filters = filters_of([letter_id])
    with HeldLetters(account.sqs, account.queues.dead_letters, view.warn, payloads=account.payloads) as held:
        letter = next(map(held.opened, choose(held, filters, time.time())), None)
    if letter is None:
        view.not_done([NotDone(letter_id, NOT_THERE)])
        raise typer.Exit(SOME_NOT_DONE)
    if as_json:
        view.data(json_line(with_body(letter)))
    else:
        letter_page(letter, time.time())
