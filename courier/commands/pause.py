"""`courier pause` and `courier resume`."""

import time
from typing import TYPE_CHECKING

import typer

from courier.commands.options import SOME_NOT_DONE, Json
from courier.journal import journal
from courier.mapping import Sending, StuckError, Switch
from courier.queues.letter_json import json_line
from courier.terminal import view
from courier.terminal.waiting import waiting

if TYPE_CHECKING:
    from courier.aws import Account

EXPIRING = (
    "Drafts go on expiring in Connect, after 12 hours by default; a reply whose draft has expired ends on the "
    "dead-letter queue. Go on with: courier resume"
)


def pause(context: typer.Context, *, as_json: Json = False) -> None:
    """Stop sending now. Nothing is lost: all replies wait on the queue, and `courier resume` goes on.

    Returns when Lambda receives no more messages and every invocation that was in flight has ended: about two minutes,
    since AWS tells only after which time it ends them. Ctrl-C ends the wait, not the pause. Drafts go on expiring.
    """
    account: Account = context.obj
    switch = Switch(account, time.monotonic, time.sleep)
    try:
        with journal(account, time.time, view.warn, "pause", required=False) as action:
            with waiting("Lambda is told to stop receiving"):
                sending = switch.pause(time.time())
            action.outcome = sending.to_json()
            seconds = switch.longest_invocation()
            view.warn(EXPIRING)
            with waiting(f"None is received any more; what is in flight may go out for {seconds} s"):
                switch.wait_for_invocations(seconds)
    except StuckError as stuck:
        view.fail(str(stuck))
        raise typer.Exit(SOME_NOT_DONE) from None
    _tell(sending, f"Sending is paused, by {sending.paused_by} since {sending.paused_at}.", as_json=as_json)


def resume(context: typer.Context, *, as_json: Json = False) -> None:
    """Go on sending after a pause. The replies that wait are sent at the usual pace."""
    account: Account = context.obj
    switch = Switch(account, time.monotonic, time.sleep)
    try:
        with journal(account, time.time, view.warn, "resume") as action, waiting("Lambda is told to go on"):
            sending = switch.resume()
            action.outcome = sending.to_json()
    except StuckError as stuck:
        view.fail(str(stuck))
        raise typer.Exit(SOME_NOT_DONE) from None
    _tell(sending, "Sending goes on. Watch it with: courier status --watch", as_json=as_json)


def _tell(sending: Sending, text: str, *, as_json: bool) -> None:
    if as_json:
        view.data(json_line(sending.to_json()))
    else:
        view.say(text)
