"""`courier dlq replay`: which letters, shown and confirmed. `put_back.py` does it."""

import time
from dataclasses import asdict
from typing import Annotated

import typer

from contract.client_token import token_is_message_id
from contract.dead_letter import producer_attributes
from courier.aws import Account
from courier.commands.dlq.put_back import Way, put_back
from courier.commands.options import (
    DONE,
    SOME_NOT_DONE,
    All,
    Contacts,
    Ids,
    Json,
    Limit,
    NewerThan,
    OlderThan,
    Rate,
    Reasons,
    Timeout,
    Wait,
    Yes,
    all_or_some,
    confirm,
    filters_of,
)
from courier.queues.held_letters import HeldLetters
from courier.queues.letter import Letter
from courier.queues.letter_json import json_line
from courier.queues.selection import Filters, Selection
from courier.queues.sending import NotDone, resent
from courier.terminal import view
from courier.terminal.letter_list import counted


def replay(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    ids: Ids = None,
    *,
    reason: Reasons = None,
    contact: Contacts = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = None,
    every: All = False,
    rate: Rate = None,
    canary: Annotated[
        int | None, typer.Option(min=1, help="So many first; the others only if each of these is sent.")
    ] = None,
    wait: Wait = False,
    timeout: Timeout = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and do nothing.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also those first tried more than 7 days ago: they may be sent twice.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Put letters back on the queue of replies. Each keeps its own token.

    Cut off at any point, run it again: what was sent already has the same token, and Connect sends it once.
    """
    account: Account = context.obj
    filters = filters_of(ids, reason, contact, older_than, newer_than)
    if every or not dry_run:
        all_or_some(filters, limit, every=every)
    selection = Selection(filters, time.time(), limit, to_send=True, force=force)
    not_done: list[NotDone] = []
    if dry_run or not yes:
        not_done = _survey(account, selection, show=dry_run, as_json=as_json)
        _report(selection, not_done)
        if dry_run or not selection.ids:
            if not as_json:
                view.say(_nothing_done(selection, rate, len(not_done), dry_run=dry_run))
            raise typer.Exit(SOME_NOT_DONE if not_done else DONE)
        confirm(_question(selection, rate, canary), yes=yes)
        ids_confirmed = Filters(ids=frozenset(selection.ids))
        selection = Selection(ids_confirmed, time.time(), to_send=True, force=force)
    way = Way(rate, canary, wait=wait, timeout=timeout)
    done = put_back(account, selection, way, asdict(filters) | {"limit": limit, "all": every}, quiet=as_json)
    _report(selection, done.not_done)
    if as_json:
        view.data(json_line(done.to_json()))
    raise typer.Exit(DONE if done.is_done and not not_done else SOME_NOT_DONE)


def _survey(account: Account, selection: Selection, *, show: bool, as_json: bool) -> list[NotDone]:
    """Select what would be replayed; return what cannot be, and what is not seen."""
    with HeldLetters(
        account.sqs,
        account.queues.dead_letters,
        view.warn,
        payloads=account.payloads,
        read_payloads=bool(selection.filters.contacts),
    ) as held:
        for letters in selection.chosen(held.batches()):
            for letter in letters if show else ():
                view.plan_row(letter, _plan(letter, selection.now), as_json=as_json)
    return [*held.not_seen(), *selection.not_done, *selection.missing()]


def _report(selection: Selection, not_done: list[NotDone]) -> None:
    """Say what was asked for and is not done. Copies of what is replayed count as done."""
    view.not_done(not_done)
    if selection.copies:
        stay = "1 letter stays" if selection.copies == 1 else f"{selection.copies:,} letters stay"
        view.warn(
            f"{stay}, with a client token that another letter has: a copy, or back already. A token is sent once."
        )


def _nothing_done(selection: Selection, rate: float | None, not_done: int, *, dry_run: bool) -> str:
    if not dry_run:
        return "No letters to replay."
    return f"{len(selection.ids)} would be replayed{_at(rate)}, {not_done} would not. Nothing was done."


def _question(selection: Selection, rate: float | None, canary: int | None) -> str:
    counts = f"{view.letters(len(selection.ids))} ({counted(selection.reasons)})"
    first = "" if canary is None else f", {canary} first{',' if rate else ''}"
    return f"Replay {counts}{first}{_at(rate)}?{_past_draft(selection)}"


def _plan(letter: Letter, now: float) -> str:
    message = resent(letter, now)
    if isinstance(message, NotDone):
        return f"stays: {message.why}"
    plan = "token: its id" if token_is_message_id(letter.attributes) else "token kept"
    left_out = [name for name in producer_attributes(letter.attributes) if name not in message.attributes]
    return f"{plan}, without {len(left_out)} attributes" if left_out else plan


def _at(rate: float | None) -> str:
    return "" if rate is None else f" at {rate:g} a second"


def _past_draft(selection: Selection) -> str:
    if not selection.past_draft:
        return ""
    older = "1 is" if selection.past_draft == 1 else f"{selection.past_draft} are"
    return f" ({older} older than 12 hours: where the draft has expired, the reply comes back as NotFound.)"
