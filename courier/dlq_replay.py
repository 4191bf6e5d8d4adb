"""`courier dlq replay`."""

import time
from typing import Annotated

import typer

from courier import view
from courier.aws import Account
from courier.choice import Choice
from courier.drain import Drain, Pace
from courier.filters import Filters
from courier.held_letters import Holding
from courier.letters import MOVED_BY_SQS, TOKEN, Letter
from courier.options import (
    DONE,
    SOME_NOT_DONE,
    Contacts,
    Ids,
    Limit,
    NewerThan,
    OlderThan,
    Rate,
    Reasons,
    Yes,
    confirm,
    filters_of,
)
from courier.replay import MOVED_BY_SQS_REASON, Replay, left_out, outgoing
from courier.sending import Left
from courier.view_progress import progress


def replay(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    ids: Ids = None,
    *,
    reason: Reasons = None,
    contact: Contacts = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = None,
    rate: Rate = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and do nothing.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also those older than 7 days: they may be sent twice.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Put letters back on the queue of replies, each under its own token.

    Cut off at any point, run it again: what was sent already has the same token, and Connect sends it once.
    """
    account: Account = context.obj
    filters = filters_of(ids, reason, contact, older_than, newer_than)
    choice = Choice(filters, time.time(), limit, replays=True, force=force)
    if dry_run or not yes:
        _survey(account, choice, show=dry_run)
        left = _tell_what_stays(choice, [])
        if dry_run:
            view.say(f"{len(choice.ids)} would be replayed{_at(rate)}, {len(left)} would not. Nothing was done.")
        elif not choice.ids:
            view.say("No letters to replay.")
        else:
            confirm(f"Replay {len(choice.ids)} letters{_at(rate)}?{_late(choice)}", yes=yes)
            planned = Choice(Filters(ids=frozenset(choice.ids)), time.time(), None, replays=True, force=True)
            left = left + _replay(account, planned, rate)
    else:
        left = _replay(account, choice, rate)
    raise typer.Exit(SOME_NOT_DONE if left else DONE)


def _survey(account: Account, choice: Choice, *, show: bool) -> None:
    """Choose what would be replayed."""
    with Holding(account.sqs, account.queues.dead_letters, view.warn) as holding:
        for letter in holding:
            if choice(letter) and show:
                view.plan_row(letter, _what(letter))
            if choice.full:
                break


def _replay(account: Account, choice: Choice, rate: float | None) -> list[Left]:
    with Holding(account.sqs, account.queues.dead_letters, view.warn, rate) as holding:
        drain = Drain(holding, choice, Replay(account.sqs, account.queues, holding), Pace(rate))
        try:
            with progress("Replayed", int(min(choice.most, holding.depth))) as tell:
                drain.run(tell)
        finally:
            view.say(f"{drain.done} replayed.")
    return _tell_what_stays(choice, drain.left)


def _tell_what_stays(choice: Choice, left: list[Left]) -> list[Left]:
    """What was meant and is not done; copies of what is replayed are, in a way, done."""
    left = [*left, *choice.left, *choice.missing()]
    view.left(left)
    if choice.copies:
        view.say(f"{choice.copies} stay for now: each has the token of another one. Replay them when that one is sent.")
    return left


def _what(letter: Letter) -> str:
    message = outgoing(letter)
    if isinstance(message, Left):
        return f"stays: {message.why}"
    what = "token kept" if TOKEN in letter.attributes else "token: its id"
    if letter.reason == MOVED_BY_SQS:
        what += f", Reason: {MOVED_BY_SQS_REASON}"
    names = left_out(letter, message)
    return f"{what}, without {len(names)} attributes" if names else what


def _at(rate: float | None) -> str:
    return "" if rate is None else f" at {rate:g} a second"


def _late(choice: Choice) -> str:
    if not choice.late:
        return ""
    return f" ({choice.late} are older than 12 hours: where their draft has expired they come back as NotFound.)"
