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
    make_filters,
    require_selection,
)
from courier.dead_letters import EXPIRING_SECONDS, RETENTION_SECONDS, DeadLetterReader, Letter
from courier.edit import (
    _edited_body,
    _given_back,
    _kept_on_failure,
    _message,
    _send,
    _stop,
    _tell_what_is_wrong,
    fetch_and_hold,
)
from courier.export import _imported, _read_lines, letter_json, private_file, summary, write_then_delete
from courier.groups import groups as group_letters
from courier.groups import show_group
from courier.journal import journal
from courier.outcomes import Outcomes, suggest_next, summarize, wait_for_outcomes
from courier.output import EXIT_OK, EXIT_PARTIAL, Failure, confirm, data, format_counts, json_line, out, waiting
from courier.replay import ReplayOptions, run_replay
from courier.selection import NOT_THERE, Filters, Selection, choose, process_selected, select_letters
from courier.sending import message_for_dead_letters, message_for_replies, move, payload_failure, send_messages
from courier.show import Row, show_letter, show_letter_list


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
    filters = make_filters(None, reason, contact, older_than, newer_than)
    with (
        waiting("Reading the dead-letter queue", quiet=True),
        DeadLetterReader(
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
        show_letter_list(oldest, now, details=details)
    if not_seen := held.not_seen():
        output.show_failures(not_seen)
        raise typer.Exit(EXIT_PARTIAL)


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
    filters = make_filters(None, reason, contact, older_than, newer_than)
    with DeadLetterReader(
        account.sqs, account.queues.dead_letters, output.warn, payloads=account.payloads, read_payloads=bool(contact)
    ) as held:
        found = group_letters(choose(held, filters, now))
    for group in found:
        if as_json:
            output.data(json_line(group.to_json()))
        else:
            show_group(group, now)
    if not found and not as_json:
        output.say(filters.none_there)
    if not_seen := held.not_seen():
        output.show_failures(not_seen)
        raise typer.Exit(EXIT_PARTIAL)


def show(context: typer.Context, letter_id: OneId, *, as_json: Json = False) -> None:
    """Show a letter: the reply, its history and what to do. It shows addresses and all."""
    account: Account = context.obj
    filters = make_filters([letter_id])
    with DeadLetterReader(account.sqs, account.queues.dead_letters, output.warn, payloads=account.payloads) as held:
        letter = next(map(held.opened, choose(held, filters, time.time())), None)
    if letter is None:
        output.show_failures([Failure(letter_id, NOT_THERE)])
        raise typer.Exit(EXIT_PARTIAL)
    if as_json:
        output.data(json_line(letter_json(letter)))
    else:
        show_letter(letter, time.time())


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
    filters = make_filters(ids, reason, contact, older_than, newer_than)
    if every or not dry_run:
        require_selection(filters, limit, every=every)
    selection = Selection(filters, time.time(), limit, to_send=True, force=force)
    failures: list[Failure] = []
    if dry_run or not yes:
        failures = _survey(account, selection, show=dry_run, as_json=as_json)
        _report(selection, failures)
        if dry_run or not selection.ids:
            if not as_json:
                output.say(_nothing_done(selection, rate, len(failures), dry_run=dry_run))
            raise typer.Exit(EXIT_PARTIAL if failures else EXIT_OK)
        confirm(_question(selection, rate, canary), yes=yes)
        ids_confirmed = Filters(ids=frozenset(selection.ids))
        selection = Selection(ids_confirmed, time.time(), to_send=True, force=force)
    options = ReplayOptions(rate, canary, wait=wait, timeout=timeout)
    done = run_replay(account, selection, options, asdict(filters) | {"limit": limit, "all": every}, quiet=as_json)
    _report(selection, done.failures)
    if as_json:
        output.data(json_line(done.to_json()))
    raise typer.Exit(EXIT_OK if done.is_done and not failures else EXIT_PARTIAL)


def _survey(account: Account, selection: Selection, *, show: bool, as_json: bool) -> list[Failure]:
    """Select what would be replayed; return what cannot be, and what is not seen."""
    with DeadLetterReader(
        account.sqs,
        account.queues.dead_letters,
        output.warn,
        payloads=account.payloads,
        read_payloads=bool(selection.filters.contacts),
    ) as held:
        for letters in selection.chosen(held.batches()):
            for letter in letters if show else ():
                plan_row(letter, _plan(letter, selection.now), as_json=as_json)
    return [*held.not_seen(), *selection.failures, *selection.missing()]


def _report(selection: Selection, failures: list[Failure]) -> None:
    """Say what was asked for and is not done. Copies of what is replayed count as done."""
    output.show_failures(failures)
    if selection.duplicates:
        stay = "1 letter stays" if selection.duplicates == 1 else f"{selection.duplicates:,} letters stay"
        output.warn(
            f"{stay}, with a client token that another letter has: a copy, or back already. A token is sent once."
        )


def _nothing_done(selection: Selection, rate: float | None, failures: int, *, dry_run: bool) -> str:
    if not dry_run:
        return "No letters to replay."
    return f"{len(selection.ids)} would be replayed{_at(rate)}, {failures} would not. Nothing was done."


def _question(selection: Selection, rate: float | None, canary: int | None) -> str:
    counts = f"{output.letters(len(selection.ids))} ({format_counts(selection.reasons)})"
    first = "" if canary is None else f", {canary} first{',' if rate else ''}"
    return f"Replay {counts}{first}{_at(rate)}?{_past_draft(selection)}"


def _plan(letter: Letter, now: float) -> str:
    message = message_for_replies(letter, now)
    if isinstance(message, Failure):
        return f"stays: {message.why}"
    plan = "token: its id" if is_first_life(letter.attributes) else "token kept"
    left_out = [name for name in producers_own(letter.attributes) if name not in message.attributes]
    return f"{plan}, without {len(left_out)} attributes" if left_out else plan


def _at(rate: float | None) -> str:
    return "" if rate is None else f" at {rate:g} a second"


def _past_draft(selection: Selection) -> str:
    if not selection.older_than_draft:
        return ""
    older = "1 is" if selection.older_than_draft == 1 else f"{selection.older_than_draft} are"
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
    letter = fetch_and_hold(account, letter_id)
    with _given_back(account, letter):
        if letter.token_expired(time.time()) and not (force or new_token):
            _stop(Failure(letter.id, "was first tried more than 7 days ago: Connect may send it twice; see --force"))
        if letter.reason == Reason.TOKEN_ALREADY_USED and not new_token:
            output.warn("Connect has seen its token: under the same one it comes back. See --new-token.")
        _tell_what_is_wrong(letter, wait=not yes)
        with _kept_on_failure(letter) as file:
            body = _edited_body(letter, file)
            risk = " under a new client token? If the first was sent, the customer gets both." if new_token else "?"
            confirm(f"Send the edited reply{risk}", yes=yes)
            message = _message(account, letter, body, new_token=new_token, force=force)
            if isinstance(message, Failure):
                _stop(message)
            since = time.time()
            with journal(account, time.time, output.warn, "dlq edit", new_token=new_token, force=force) as action:
                action.record_letters([letter])
                left = _send(account, letter, message)
                action.outcome = {"edited": 0 if left else 1}
            if left:
                _stop(left)
    output.say("1 edited and on the queue.")
    outcomes = Outcomes({client_token(letter.id, message.attributes): letter.sent_at})
    if wait:
        wait_for_outcomes(account, outcomes, since, wait=True, timeout=timeout)
        output.say(f"{summarize(outcomes)}.")
    suggest_next(outcomes, since)
    if wait and not outcomes.all_sent:
        raise typer.Exit(EXIT_PARTIAL)


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
    filters = make_filters(ids, reason, contact, older_than, newer_than)
    require_selection(filters, limit, every=every)
    selection = Selection(filters, time.time(), limit)
    missing = select_letters(account, selection)
    output.show_failures(missing)
    if not selection.ids:
        output.say("No letters to discard.")
        raise typer.Exit(EXIT_PARTIAL if missing else 0)
    confirm(f"Discard {output.letters(len(selection.ids))} ({format_counts(selection.reasons)})?", yes=yes)
    path = to or Path(time.strftime("courier-discarded-%Y%m%dT%H%M%SZ.jsonl", time.gmtime()))
    asked = asdict(filters) | {"limit": limit, "all": every}
    with private_file(path) as file, journal(account, time.time, output.warn, "dlq discard", **asked) as action:
        output.say(f"What is discarded is written to {path}.")
        failures = process_selected(
            account,
            selection,
            "Discarded",
            lambda held, letters: write_then_delete(held, file, letters, because),
            action,
            read_payloads=True,
        )
    output.show_failures(failures)
    raise typer.Exit(EXIT_PARTIAL if failures or missing else 0)


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
    filters = make_filters(ids, reason, contact, older_than)
    selection = Selection(filters, time.time(), limit)
    failures = select_letters(account, selection)
    if not selection.ids:
        output.say("No letters to renew.")
    else:
        confirm(f"Renew {output.letters(len(selection.ids))} ({format_counts(selection.reasons)})?", yes=yes)
        with journal(account, time.time, output.warn, "dlq renew", **asdict(filters), limit=limit) as action:
            failures += process_selected(account, selection, "Renewed", partial(_renew, account), action)
    output.show_failures(failures)
    raise typer.Exit(EXIT_PARTIAL if failures else 0)


def _renew(account: "Account", reader: DeadLetterReader, letters: Sequence[Letter]) -> list[Failure]:
    return move(reader, account.queues.dead_letters, letters, [message_for_dead_letters(each) for each in letters])


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
    filters = make_filters(None, reason, contact, older_than, newer_than)
    count = 0
    not_read: list[Failure] = []
    with (
        DeadLetterReader(
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
                written.write(json_line(letter_json(letter)) + "\n")
                count += 1
                not_read += filter(None, [payload_failure(letter)])
        except BaseException:
            file.unlink()  # half an export looks like a whole one
            raise
    output.say(f"{output.letters(count)} {'is' if count == 1 else 'are'} in {file}.")
    if failures := [*not_read, *held.not_seen()]:
        output.show_failures(failures)
        raise typer.Exit(EXIT_PARTIAL)


def import_letters(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="From an export or a discard.")]
) -> None:
    """Put exported letters on the dead-letter queue. Body, attributes and tokens are as they were.

    Imported twice, a letter is there twice, under one token: Connect sends it once.
    """
    account: Account = context.obj
    with file.open("rb") as lines:
        faults = [each for each in _read_lines(lines) if isinstance(each, Failure)]
        if faults:
            output.show_failures(faults)
            output.say("Nothing was imported.")
            raise typer.Exit(EXIT_PARTIAL)
        lines.seek(0)
        messages = (_imported(account, each) for each in _read_lines(lines) if not isinstance(each, Failure))
        with journal(account, time.time, output.warn, "dlq import") as action:
            code = send_messages(account, account.queues.dead_letters, messages, "imported", action)
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
