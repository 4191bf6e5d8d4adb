"""`courier status`."""

import time
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from courier.aws import Account
from courier.commands.options import SOME_NOT_DONE, Json
from courier.queues import queue_status
from courier.queues.letter_json import json_line
from courier.queues.queue_status import Status
from courier.terminal import view
from courier.terminal.status_page import show_statuses

WATCH_SECONDS = 5


def status(
    context: typer.Context,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Ask again every few seconds, until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Show what waits, until when, and the dead letters by reason. And whether sending is paused."""
    account: Account = context.obj
    if watch:
        _show(_repeated(account), as_json=as_json, again_after=WATCH_SECONDS)
        return
    now = queue_status.status(account, time.time(), view.warn)
    _show([now], as_json=as_json)
    if now.letters.not_seen:
        view.not_done(now.letters.not_seen)
        raise typer.Exit(SOME_NOT_DONE)


def _show(statuses: Iterable[Status], *, as_json: bool, again_after: float | None = None) -> None:
    if not as_json:
        show_statuses(statuses, again_after)
        return
    for each in statuses:
        view.data(json_line(each.to_json()))


def _repeated(account: Account) -> Iterator[Status]:
    before = None
    while True:
        yield (before := queue_status.status(account, time.time(), view.warn, before))
        time.sleep(WATCH_SECONDS)
