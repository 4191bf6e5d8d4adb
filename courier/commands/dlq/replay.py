"""`courier dlq replay`: sent before deleted, under the token that each letter has always had."""

import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from contract.client_token import is_first_life
from contract.dead_letter import producers_own
from courier.aws import Account
from courier.commands.options import (
    DONE,
    SOME_NOT_DONE,
    All,
    Contacts,
    Ids,
    Limit,
    NewerThan,
    OlderThan,
    Rate,
    Reasons,
    Yes,
    all_or_some,
    confirm,
    filters_of,
)
from courier.interrupts import uninterrupted
from courier.queues.held_letters import BATCH, HeldLetters
from courier.queues.letter import Letter, printable_identifier
from courier.queues.selection import Filters, Selection
from courier.queues.sending import NotDone, resent
from courier.terminal import view
from courier.terminal.letter_list import counted
from courier.terminal.progress import progress

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and do nothing.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also those first tried more than 7 days ago: they may be sent twice.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Put letters back on the queue of replies. Each keeps its own token.

    Cut off at any point, run it again: what was sent already has the same token, and Connect sends it once.
    """
    account: Account = context.obj
    filters = filters_of(ids, reason, contact, older_than, newer_than)
    if every or not dry_run:
        all_or_some(filters, limit, every=every)
    selection = Selection(filters, time.time(), limit, to_send=True, force=force)
    if dry_run or not yes:
        not_done = _report(selection, _survey(account, selection, show=dry_run))
        if dry_run:
            view.say(f"{len(selection.ids)} would be replayed{_at(rate)}, {len(not_done)} would not. Nothing was done.")
        elif not selection.ids:
            view.say("No letters to replay.")
        else:
            counts = f"{view.letters(len(selection.ids))} ({counted(selection.reasons)})"
            confirm(f"Replay {counts}{_at(rate)}?{_past_draft(selection)}", yes=yes)
            ids_confirmed = Filters(ids=frozenset(selection.ids))
            confirmed = Selection(ids_confirmed, time.time(), to_send=True, force=force)
            not_done = not_done + _replay(account, confirmed, rate)
    else:
        not_done = _replay(account, selection, rate)
    raise typer.Exit(SOME_NOT_DONE if not_done else DONE)


@dataclass
class Replay:
    """Replays the letters of a selection, batch by batch.

    Attributes:
        sqs: The client.
        replies_url: The queue of replies.
        rate: Letters a second, at the most; None is as many as SQS takes.
        clock: Seconds, never going back.
        sleep: Waits a number of seconds.
        now: Seconds since the epoch.
        force: Whether to send letters whose tokens are too old.
        done: How many letters were replayed.
        not_done: What was not replayed, or not deleted afterwards.
    """

    sqs: "SQSClient"
    replies_url: str
    rate: float | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    force: bool = False
    done: int = 0
    not_done: list[NotDone] = field(default_factory=list)

    def run(self, held: HeldLetters, selection: Selection, advance: Callable[[int], None]) -> None:
        """Replay until the queue's end or the selection's limit; `advance` gets each batch's number of letters.

        Cut off at any point, every letter is on at least one of the two queues, under one token: Connect sends it once.

        Raises:
            botocore.exceptions.ClientError, BotoCoreError: A call failed. What was sent has been sent: running it
                again sends a copy with the same token.
        """
        next_turn = self.clock()
        # A second's worth at once, so that a slow pace is an even one.
        most = BATCH if self.rate is None else max(1, min(BATCH, int(self.rate)))
        for letters in selection.chosen(held.batches(most)):
            if self.rate is not None:
                self.sleep(max(0.0, next_turn - self.clock()))
                next_turn = max(next_turn, self.clock()) + len(letters) / self.rate
            with uninterrupted():
                offers = [resent(letter, self.now(), force=self.force) for letter in letters]
                not_done = held.move(self.replies_url, letters, offers)
            self.not_done += not_done
            self.done += len(letters) - len(not_done)
            advance(len(letters))


def _survey(account: Account, selection: Selection, *, show: bool) -> list[NotDone]:
    """Select what would be replayed; return what to tell of letters that somebody else holds."""
    with HeldLetters(
        account.sqs,
        account.queues.dead_letters,
        view.warn,
        payloads=account.payloads,
        read_payloads=bool(selection.filters.contacts),
    ) as held:
        for letters in selection.chosen(held.batches()):
            for letter in letters if show else ():
                view.plan_row(letter, _plan(letter, selection.now))
    return held.not_seen()


def _replay(account: Account, selection: Selection, rate: float | None) -> list[NotDone]:
    replayed = Replay(account.sqs, account.queues.replies, rate, force=selection.force)
    with HeldLetters(
        account.sqs,
        account.queues.dead_letters,
        view.warn,
        rate,
        payloads=account.payloads,
        read_payloads=bool(selection.filters.contacts),
    ) as held:
        try:
            with progress("Replayed", int(min(selection.most, held.depth))) as advance:
                replayed.run(held, selection, advance)
        finally:
            view.say(f"{replayed.done} replayed.")
    if replayed.done:
        tokens = {printable_identifier(token) for token in selection.tokens}
        view.warn(f"What became of {'it' if replayed.done == 1 else 'them'}: {_what_tells(tokens)}")
    return _report(selection, [*replayed.not_done, *([] if selection.filters.ids else held.not_seen())])


def _what_tells(tokens: AbstractSet[str | None]) -> str:
    """The command that tells what became of the replies with these tokens."""
    one = next(iter(tokens)) if len(tokens) == 1 else None
    return f"courier trace {one}" if one else "courier status; those that came back: courier dlq list --newer-than 1h"


def _report(selection: Selection, not_done: list[NotDone]) -> list[NotDone]:
    """Say what was asked for and is not done, and return it. Copies of what is replayed count as done."""
    not_done = [*not_done, *selection.not_done, *selection.missing()]
    view.not_done(not_done)
    if selection.copies:
        stay = "1 stays" if selection.copies == 1 else f"{selection.copies} stay"
        view.say(f"{stay} for now, having the token of another letter. Replay them when that one is sent.")
    return not_done


def _plan(letter: Letter, now: float) -> str:
    message = resent(letter, now)
    if isinstance(message, NotDone):
        return f"stays: {message.why}"
    plan = "token: its id" if is_first_life(letter.attributes) else "token kept"
    left_out = [name for name in producers_own(letter.attributes) if name not in message.attributes]
    return f"{plan}, without {len(left_out)} attributes" if left_out else plan


def _at(rate: float | None) -> str:
    return "" if rate is None else f" at {rate:g} a second"


def _past_draft(selection: Selection) -> str:
    if not selection.past_draft:
        return ""
    older = "1 is" if selection.past_draft == 1 else f"{selection.past_draft} are"
    return f" ({older} older than 12 hours: where the draft has expired, the reply comes back as NotFound.)"
