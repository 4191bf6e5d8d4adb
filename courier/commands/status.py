"""`courier status`."""

import time
from collections.abc import Iterator
from typing import Annotated

import typer

from courier import queue_status
from courier.aws import Account
from courier.commands.options import Json
from courier.letter_json import json_line
from courier.queue_status import Status
from courier.terminal import view

WATCH_SECONDS = 5


def status(
    context: typer.Context,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Ask again every few seconds, until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Show how many replies and dead letters there are, how old, and why."""
    account: Account = context.obj
    statuses = _repeated(account) if watch else iter([queue_status.status(account, time.time(), view.warn)])
    if as_json:
        for each in statuses:
            view.data(json_line(each.to_json()))
    else:
        view.show_statuses(statuses)


def _repeated(account: Account) -> Iterator[Status]:
    before = None
    while True:
        yield (before := queue_status.status(account, time.time(), view.warn, before))
        time.sleep(WATCH_SECONDS)
