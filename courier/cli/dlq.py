"""`courier dlq list`."""

import heapq
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Annotated

import typer

from contract.client_token import client_token, is_first_life
from contract.dead_letter import Reason, producers_own
from courier import output
from courier.aws import Account
from courier.cli.options import (
    All,
    Contacts,
    Ids,
    Json,
    Limit,
    NewerThan,
    OlderThan,
    OneId,
    Rate,
    Reasons,
    Timeout,
    Wait,
    Yes,
    all_or_some,
    filters_of,
)
from courier.dead_letters import EXPIRING_SECONDS, RETENTION_SECONDS, HeldLetters, Letter
from courier.edit import (
    _edited_body,
    _given_back,
    _kept_on_failure,
    _message,
    _send,
    _stop,
    _tell_what_is_wrong,
    find_and_hold,
)
from courier.export import _imported, _read_lines, private_file, summary, with_body, write_then_delete
from courier.groups import group_page
from courier.groups import groups as group_letters
from courier.journal import journal
from courier.outcomes import Outcomes, in_words, listen, more
from courier.output import DONE, SOME_NOT_DONE, NotDone, confirm, counted, data, json_line, out, waiting
from courier.replay import Way, put_back
from courier.selection import NOT_THERE, Filters, Selection, choose, note, work_through
from courier.sending import move, put, renewed, resent, unread
from courier.show import Row, letter_list, letter_page


def list_letters(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    *,
    reason: Reasons = None,
    contact: Contacts = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = None,
    details: Annotated[
        bool, typer.Option("--details", help="Also what went wrong, with names, addresses and numbers masked.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List letters, the oldest first, and count them by reason.

    Others do not see them while this runs; then they are given back.
    """
    account: Account = context.obj
    now = time.time()
    filters = filters_of(None, reason, contact, older_than, newer_than)
    with (
        waiting("Reading the dead-letter queue", quiet=True),
        HeldLetters(
            account.sqs,
            account.queues.dead_letters,
            output.warn,
            payloads=account.payloads,
            read_payloads=bool(contact),
        ) as held,
    ):
        rows = [Row.of(letter) for letter in choose(held, filters, now)]
    oldest = heapq.nsmallest(limit or len(rows), rows, key=attrgetter("sent_at"))
    if as_json:
        for row in oldest:
            output.data(json_line(row.listed))
    elif not oldest:
        output.say(filters.none_there)
    else:
        letter_list(oldest, now, details=details)
    if not_seen := held.not_seen():
        output.not_done(not_seen)
        raise typer.Exit(SOME_NOT_DONE)


def groups(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    *,
    reason: Reasons = None,
    contact: Contacts = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    as_json: Json = False,
) -> None:
    """Count letters by what went wrong, and say what to do. Names, ids, addresses and numbers are masked."""
    account: Account = context.obj
    now = time.time()
    filters = filters_of(None, reason, contact, older_than, newer_than)
    with HeldLetters(
        account.sqs, account.queues.dead_letters, output.warn, payloads=account.payloads, read_payloads=bool(contact)
    ) as held:
        found = group_letters(choose(held, filters, now))
    for group in found:
        if as_json:
            output.data(json_line(group.to_json()))
        else:
            group_page(group, now)
    if not found and not as_json:
        output.say(filters.none_there)
    if not_seen := held.not_seen():
        output.not_done(not_seen)
        raise typer.Exit(SOME_NOT_DONE)


def show(context: typer.Context, letter_id: OneId, *, as_json: Json = False) -> None:
    """Show a letter: the reply, its history and what to do. It shows addresses and all."""
    account: Account = context.obj
    filters = filters_of([letter_id])
    with HeldLetters(account.sqs, account.queues.dead_letters, output.warn, payloads=account.payloads) as held:
        letter = next(map(held.opened, choose(held, filters, time.time())), None)
    if letter is None:
        output.not_done([NotDone(letter_id, NOT_THERE)])
        raise typer.Exit(SOME_NOT_DONE)
    if as_json:
        output.data(json_line(with_body(letter)))
    else:
        letter_page(letter, time.time())


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
                output.say(_nothing_done(selection, rate, len(not_done), dry_run=dry_run))
            raise typer.Exit(SOME_NOT_DONE if not_done else DONE)
        confirm(_question(selection, rate, canary), yes=yes)
        ids_confirmed = Filters(ids=frozenset(selection.ids))
        selection = Selection(ids_confirmed, time.time(), to_send=True, force=force)
    way = Way(rate, canary, wait=wait, timeout=timeout)
    done = put_back(account, selection, way, asdict(filters) | {"limit": limit, "all": every}, quiet=as_json)
    _report(selection, done.not_done)
    if as_json:
        output.data(json_line(done.to_json()))
    raise typer.Exit(DONE if done.is_done and not not_done else SOME_NOT_DONE)


def _survey(account: Account, selection: Selection, *, show: bool, as_json: bool) -> list[NotDone]:
    """Select what would be replayed; return what cannot be, and what is not seen."""
    with HeldLetters(
        account.sqs,
        account.queues.dead_letters,
        output.warn,
        payloads=account.payloads,
        read_payloads=bool(selection.filters.contacts),
    ) as held:
        for letters in selection.chosen(held.batches()):
            for letter in letters if show else ():
                plan_row(letter, _plan(letter, selection.now), as_json=as_json)
    return [*held.not_seen(), *selection.not_done, *selection.missing()]


def _report(selection: Selection, not_done: list[NotDone]) -> None:
    """Say what was asked for and is not done. Copies of what is replayed count as done."""
    output.not_done(not_done)
    if selection.copies:
        stay = "1 letter stays" if selection.copies == 1 else f"{selection.copies:,} letters stay"
        output.warn(
            f"{stay}, with a client token that another letter has: a copy, or back already. A token is sent once."
        )


def _nothing_done(selection: Selection, rate: float | None, not_done: int, *, dry_run: bool) -> str:
    if not dry_run:
        return "No letters to replay."
    return f"{len(selection.ids)} would be replayed{_at(rate)}, {not_done} would not. Nothing was done."


def _question(selection: Selection, rate: float | None, canary: int | None) -> str:
    counts = f"{output.letters(len(selection.ids))} ({counted(selection.reasons)})"
    first = "" if canary is None else f", {canary} first{',' if rate else ''}"
    return f"Replay {counts}{first}{_at(rate)}?{_past_draft(selection)}"


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


def edit(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    letter_id: OneId,
    *,
    new_token: Annotated[
        bool,
        typer.Option("--new-token", help="Send it as another reply: if the first was sent, the customer gets both."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also if it was first tried more than 7 days ago: it may be sent twice.")
    ] = False,
    wait: Wait = False,
    timeout: Timeout = None,
    yes: Yes = False,
) -> None:
    """Mend a letter in $EDITOR and put it on the queue of replies.

    It has to keep the contract. It keeps its client token, so that Connect sends it once: what Connect has refused has
    not used the token.
    """
    account: Account = context.obj
    letter = find_and_hold(account, letter_id)
    with _given_back(account, letter):
        if letter.is_too_old(time.time()) and not (force or new_token):
            _stop(NotDone(letter.id, "was first tried more than 7 days ago: Connect may send it twice; see --force"))
        if letter.reason == Reason.TOKEN_ALREADY_USED and not new_token:
            output.warn("Connect has seen its token: under the same one it comes back. See --new-token.")
        _tell_what_is_wrong(letter, wait=not yes)
        with _kept_on_failure(letter) as file:
            body = _edited_body(letter, file)
            risk = " under a new client token? If the first was sent, the customer gets both." if new_token else "?"
            confirm(f"Send the edited reply{risk}", yes=yes)
            message = _message(account, letter, body, new_token=new_token, force=force)
            if isinstance(message, NotDone):
                _stop(message)
            since = time.time()
            with journal(account, time.time, output.warn, "dlq edit", new_token=new_token, force=force) as action:
                action.takes([letter])
                left = _send(account, letter, message)
                action.outcome = {"edited": 0 if left else 1}
            if left:
                _stop(left)
    output.say("1 edited and on the queue.")
    outcomes = Outcomes({client_token(letter.id, message.attributes): letter.sent_at})
    if wait:
        listen(account, outcomes, since, wait=True, timeout=timeout)
        output.say(f"{in_words(outcomes)}.")
    more(outcomes, since)
    if wait and not outcomes.all_sent:
        raise typer.Exit(SOME_NOT_DONE)


def discard(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    ids: Ids = None,
    *,
    because: Annotated[str, typer.Option(help="Why: it is written into the file.")],
    reason: Reasons = None,
    contact: Contacts = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = None,
    every: All = False,
    to: Annotated[
        Path | None, typer.Option(help="A new file for what is removed.", show_default="in this folder")
    ] = None,
    yes: Yes = False,
) -> None:
    """Remove letters for good. What is removed is written to a file first; `dlq import` brings it back."""
    account: Account = context.obj
    filters = filters_of(ids, reason, contact, older_than, newer_than)
    all_or_some(filters, limit, every=every)
    selection = Selection(filters, time.time(), limit)
    missing = note(account, selection)
    output.not_done(missing)
    if not selection.ids:
        output.say("No letters to discard.")
        raise typer.Exit(SOME_NOT_DONE if missing else 0)
    confirm(f"Discard {output.letters(len(selection.ids))} ({counted(selection.reasons)})?", yes=yes)
    path = to or Path(time.strftime("courier-discarded-%Y%m%dT%H%M%SZ.jsonl", time.gmtime()))
    asked = asdict(filters) | {"limit": limit, "all": every}
    with private_file(path) as file, journal(account, time.time, output.warn, "dlq discard", **asked) as action:
        output.say(f"What is discarded is written to {path}.")
        not_done = work_through(
            account,
            selection,
            "Discarded",
            lambda held, letters: write_then_delete(held, file, letters, because),
            action,
            read_payloads=True,
        )
    output.not_done(not_done)
    raise typer.Exit(SOME_NOT_DONE if not_done or missing else 0)


def renew(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    ids: Ids = None,
    *,
    reason: Reasons = None,
    contact: Contacts = None,
    older_than: OlderThan = None,
    limit: Limit = None,
    yes: Yes = False,
) -> None:
    """Have SQS keep letters for another 14 days. It puts them on the dead-letter queue again.

    Without ids and filters: those that it would delete within 3 days. Cut off at any point, run it again: a copy has
    the same client token, and Connect sends it once.
    """
    account: Account = context.obj
    if not (ids or reason or contact or older_than):
        older_than = RETENTION_SECONDS - EXPIRING_SECONDS
    filters = filters_of(ids, reason, contact, older_than)
    selection = Selection(filters, time.time(), limit)
    not_done = note(account, selection)
    if not selection.ids:
        output.say("No letters to renew.")
    else:
        confirm(f"Renew {output.letters(len(selection.ids))} ({counted(selection.reasons)})?", yes=yes)
        with journal(account, time.time, output.warn, "dlq renew", **asdict(filters), limit=limit) as action:
            not_done += work_through(account, selection, "Renewed", partial(_renew, account), action)
    output.not_done(not_done)
    raise typer.Exit(SOME_NOT_DONE if not_done else 0)


def _renew(account: "Account", held: HeldLetters, letters: Sequence[Letter]) -> list[NotDone]:
    return move(held, account.queues.dead_letters, letters, [renewed(each) for each in letters])


def export(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A new file.")],
    *,
    reason: Reasons = None,
    contact: Contacts = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = None,
) -> None:
    """Write letters to a file. They stay on the queue. The file, of JSON lines, holds whole replies: keep it safe."""
    account: Account = context.obj
    filters = filters_of(None, reason, contact, older_than, newer_than)
    count = 0
    not_read: list[NotDone] = []
    with (
        HeldLetters(
            account.sqs,
            account.queues.dead_letters,
            output.warn,
            payloads=account.payloads,
            read_payloads=bool(filters.contacts),
        ) as held,
        private_file(file) as written,
    ):
        try:
            for letter in map(held.opened, choose(held, filters, time.time(), limit)):
                written.write(json_line(with_body(letter)) + "\n")
                count += 1
                not_read += filter(None, [unread(letter)])
        except BaseException:
            file.unlink()  # half an export looks like a whole one
            raise
    output.say(f"{output.letters(count)} {'is' if count == 1 else 'are'} in {file}.")
    if not_done := [*not_read, *held.not_seen()]:
        output.not_done(not_done)
        raise typer.Exit(SOME_NOT_DONE)


def import_letters(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="From an export or a discard.")]
) -> None:
    """Put exported letters on the dead-letter queue. Body, attributes and tokens are as they were.

    Imported twice, a letter is there twice, under one token: Connect sends it once.
    """
    account: Account = context.obj
    with file.open("rb") as lines:
        faults = [each for each in _read_lines(lines) if isinstance(each, NotDone)]
        if faults:
            output.not_done(faults)
            output.say("Nothing was imported.")
            raise typer.Exit(SOME_NOT_DONE)
        lines.seek(0)
        messages = (_imported(account, each) for each in _read_lines(lines) if not isinstance(each, NotDone))
        with journal(account, time.time, output.warn, "dlq import") as action:
            code = put(account, account.queues.dead_letters, messages, "imported", action)
        raise typer.Exit(code)


def plan_row(letter: Letter, plan: str, *, as_json: bool = False) -> None:
    """What would happen to a letter."""
    if as_json:
        data(json_line({**summary(letter), "plan": plan}))
        return
    line = f"{letter.id:36} {summary(letter)['reason'] or '?':18} {plan}"
    if out.is_terminal:
        out.print(line, no_wrap=True, overflow="ellipsis", crop=True)
    else:
        data(line)
