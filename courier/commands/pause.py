"""`courier pause` and `courier resume`: whether anything is sent at all."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from contract.token_age import iso
from courier.commands.options import SOME_NOT_DONE, Yes, confirm
from courier.mapping import DISABLED, ENABLED, Mapping
from courier.queues.queue_status import in_flight
from courier.terminal import view

if TYPE_CHECKING:
    from courier.aws import Account

LOOK_EVERY = 5.0
"""Seconds. Two looks in a row have to find nothing in flight: SQS's counts lag by some seconds."""
SWITCH_SECONDS = 300
"""How long AWS may take to switch a mapping; it says nothing about it, and takes less than a minute as a rule."""


def pause(context: typer.Context, *, yes: Yes = False) -> None:
    """Stop sending now, until `resume`.

    Returns when the last reply in flight has ended. Replies stay on the queue, and drafts go on expiring: after 12
    hours, if their CreateContact did not say otherwise.
    """
    account: Account = context.obj
    mapping = account.mapping
    if mapping.paused is None:
        confirm("Stop sending replies?", yes=yes)
        mapping.pause(account.caller, iso(time.time()))
    _wait_for(mapping, DISABLED)
    timeout = mapping.function["Timeout"]
    if not ended(lambda: in_flight(account), timeout, time.monotonic, time.sleep):
        view.say(f"Replies still in flight wait for their backoff: the function's time-out, {timeout} s, is over.")
    view.say("Paused: nothing is sent until courier resume. Drafts go on expiring (after 12 hours by default).")


def resume(context: typer.Context) -> None:
    """Send again what waits on the queue."""
    account: Account = context.obj
    account.mapping.resume()
    _wait_for(account.mapping, ENABLED)
    view.say("Resumed: replies are sent again.")


def ended(
    in_flight: Callable[[], int], timeout: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> bool:
    """Wait until no invocation can be running any more; return whether nothing is in flight.

    Messages that wait for their backoff are in flight as well, so the function's time-out ends the wait: no invocation
    lasts longer.

    Args:
        in_flight: Messages that were received and are not done.
        timeout: Seconds.
        clock: Seconds, never going back.
        sleep: Waits a number of seconds.
    """
    ends, none_before = clock() + timeout, False
    while True:
        none_now = in_flight() == 0
        if none_now and none_before:
            return True
        if clock() >= ends:
            return False
        none_before = none_now
        sleep(min(LOOK_EVERY, max(0.0, ends - clock())))


def _wait_for(mapping: Mapping, state: str) -> None:
    ends = time.monotonic() + SWITCH_SECONDS
    while (now := mapping.state) != state:
        if time.monotonic() >= ends:
            view.fail(f"the mapping is {now} after {SWITCH_SECONDS} s, and not {state}: look at it in Lambda's console")
            raise typer.Exit(SOME_NOT_DONE)
        time.sleep(1)
