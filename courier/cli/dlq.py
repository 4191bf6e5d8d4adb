"""`courier dlq …`: the commands on the dead-letter queue."""

import heapq
import time
from collections.abc import Sequence
from dataclasses import asdict
from operator import attrgetter
from pathlib import Path
from typing import Annotated

import typer

from contract.client_token import token_is_message_id
from contract.dead_letter import producer_attributes
from courier import output
from courier.aws import Account
from courier.cli.options import (
    All,
    Contacts,
    Ids,
    Json,
    Limit,
    NewerThan,
    NoJournal,
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
from courier.edit import edit_letter
from courier.export import imported_message, letter_json, private_file, read_export, write_then_delete
from courier.groups import group_letters, show_group
from courier.journal import journal
from courier.outcomes import suggest_next, wait_for_outcomes
from courier.output import EXIT_OK, EXIT_PARTIAL, Failure, confirm, count_letters, format_counts, json_line
from courier.replay import ReplayOptions, run_replay
from courier.selection import NOT_THERE, Filters, Selection, choose, process_selected, select_letters
from courier.sending import message_for_dead_letters, message_for_replies, move, send_messages
from courier.show import Row, show_letter, show_letter_list, show_plan

RISK_OF_FORCE = "Also letters first tried more than 7 days ago. The customer may get those replies twice."


def list_letters(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    *,
    reason: Reasons = None,
    contact: Contacts = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = None,
    details: Annotated[
        bool, typer.Option("--details", help="Add the error code and the path of the invalid member.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List letters, the oldest first, and count them by reason.

    While it runs, nobody else can receive them.
    """
    account: Account = context.obj
    now = time.time()
    filters = make_filters(None, reason, contact, older_than, newer_than)
    with (
        output.waiting("Reading the dead-letter queue", quiet=True),
        account.dead_letters(read_payloads=filters.need_payloads) as reader,
    ):
        rows = [Row.of(letter) for letter in choose(reader, filters, now)]
    oldest = heapq.nsmallest(limit or len(rows), rows, key=attrgetter("sent_at"))
    if as_json:
        for row in oldest:
            output.data(json_line(row.summary))
    elif not oldest:
        output.say(filters.no_match)
    else:
        show_letter_list(oldest, now, details=details)
    _exit_if_any(reader.unseen_failures())


def groups(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    *,
    reason: Reasons = None,
    contact: Contacts = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    as_json: Json = False,
) -> None:
    """Count letters by what went wrong, and say what to do.

    Letters are grouped by reason, error code and the path of the invalid member. `dlq show` has the whole message.
    """
    account: Account = context.obj
    now = time.time()
    filters = make_filters(None, reason, contact, older_than, newer_than)
    with account.dead_letters(read_payloads=filters.need_payloads) as reader:
        found = group_letters(choose(reader, filters, now))
    for group in found:
        if as_json:
            output.data(json_line(group.to_json()))
        else:
            show_group(group, now)
    if not found and not as_json:
        output.say(filters.no_match)
    _exit_if_any(reader.unseen_failures())


def show(context: typer.Context, letter_id: OneId, *, as_json: Json = False) -> None:
    """Show a letter: the reply, its history, and what to do. It shows addresses."""
    account: Account = context.obj
    filters = make_filters([letter_id])
    with account.dead_letters() as reader:
        letter = next(map(reader.with_payload, choose(reader, filters, time.time())), None)
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
        int | None, typer.Option(min=1, help="Replay N first; continue only if all are sent.", metavar="N")
    ] = None,
    wait: Wait = False,
    timeout: Timeout = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and do nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help=RISK_OF_FORCE)] = False,
    no_journal: NoJournal = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Put letters back on the queue of replies. Each keeps its client token.

    If it is interrupted, run it again. Replies that were sent already keep their token, so Connect sends them once.
    """
    account: Account = context.obj
    filters = make_filters(ids, reason, contact, older_than, newer_than)
    if every or not dry_run:
        require_selection(filters, limit, every=every)
    requested = asdict(filters) | {"limit": limit, "all": every}
    failures: list[Failure] = []
    if dry_run or not yes:
        preview = Selection(filters, time.time(), limit, for_replay=True, force=force)
        failures = _preview(account, preview, show=dry_run, as_json=as_json)
        _report(preview, failures)
        if dry_run or not preview.ids:
            if not as_json:
                output.say(_preview_result(preview, rate, len(failures), dry_run=dry_run))
            raise typer.Exit(EXIT_PARTIAL if failures else EXIT_OK)
        confirm(_question(preview, rate, canary), yes=yes)
        filters, limit = Filters(ids=frozenset(preview.ids)), None
    selection = Selection(filters, time.time(), limit, for_replay=True, force=force)
    options = ReplayOptions(rate, canary, wait=wait, timeout=timeout, no_journal=no_journal)
    run = run_replay(account, selection, options, requested, quiet=as_json)
    _report(selection, run.failures)
    if as_json:
        output.data(json_line(run.to_json()))
    raise typer.Exit(EXIT_OK if run.is_done and not failures else EXIT_PARTIAL)


def edit(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    letter_id: OneId,
    *,
    new_token: Annotated[
        bool, typer.Option("--new-token", help="Use a new token. If the first reply was sent, the customer gets both.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help=RISK_OF_FORCE)] = False,
    wait: Wait = False,
    timeout: Timeout = None,
    no_journal: NoJournal = False,
    yes: Yes = False,
) -> None:
    """Fix a letter in $EDITOR, and put it back on the queue.

    The edited reply has to match the contract. It keeps its client token, so that Connect sends it once; a reply that
    Connect refused has not used its token.
    """
    account: Account = context.obj
    outcomes, since = edit_letter(account, letter_id, new_token=new_token, force=force, yes=yes, no_journal=no_journal)
    if wait:
        wait_for_outcomes(account, outcomes, since, wait=True, timeout=timeout)
        output.say(f"{outcomes}.")
    suggest_next(outcomes, since)
    if wait and not outcomes.all_sent:
        raise typer.Exit(EXIT_PARTIAL)


def discard(  # noqa: PLR0913 - the command's options
    context: typer.Context,
    ids: Ids = None,
    *,
    because: Annotated[str, typer.Option(help="Why; it is written into the file.")],
    reason: Reasons = None,
    contact: Contacts = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = None,
    every: All = False,
    to: Annotated[
        Path | None, typer.Option(help="A new file for the discarded letters.", show_default="in this folder")
    ] = None,
    no_journal: NoJournal = False,
    yes: Yes = False,
) -> None:
    """Delete letters for good. They are written to a file first, and `dlq import` restores them."""
    account: Account = context.obj
    filters = make_filters(ids, reason, contact, older_than, newer_than)
    require_selection(filters, limit, every=every)
    selection = Selection(filters, time.time(), limit)
    unseen = select_letters(account, selection)
    output.show_failures(unseen)
    if not selection.ids:
        output.say("No letters to discard.")
        raise typer.Exit(EXIT_PARTIAL if unseen else EXIT_OK)
    confirm(f"Discard {_selected(selection)}?", yes=yes)
    path = to or Path(time.strftime("courier-discarded-%Y%m%dT%H%M%SZ.jsonl", time.gmtime()))
    requested = asdict(filters) | {"limit": limit, "all": every}
    with journal(account, "dlq discard", required=not no_journal, **requested) as action, private_file(path) as file:
        output.say(f"The discarded letters are written to {path}.")

        def process(reader: DeadLetterReader, letters: Sequence[Letter]) -> list[Failure]:
            return write_then_delete(reader, file, letters, because)

        failures = process_selected(account, selection.ids, "Discarded", process, action, read_payloads=True)
    output.show_failures(failures)
    raise typer.Exit(EXIT_PARTIAL if failures or unseen else EXIT_OK)


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
    """Keep letters for another 14 days.

    It puts them on the dead-letter queue again. Without ids and filters, it selects letters that SQS deletes within 3
    days. If it is interrupted, run it again. Copies have the same client token, so Connect sends the reply once.
    """
    account: Account = context.obj
    if not (ids or reason or contact or older_than):
        older_than = RETENTION_SECONDS - EXPIRING_SECONDS
    filters = make_filters(ids, reason, contact, older_than)
    selection = Selection(filters, time.time(), limit)
    failures = select_letters(account, selection)
    if not selection.ids:
        output.say("No letters to renew.")
        _exit_if_any(failures)
        return

    def reset_retention(reader: DeadLetterReader, letters: Sequence[Letter]) -> list[Failure]:
        return move(reader, account.queues.dead_letters, letters, [message_for_dead_letters(each) for each in letters])

    confirm(f"Renew {_selected(selection)}?", yes=yes)
    with journal(account, "dlq renew", **asdict(filters), limit=limit) as action:
        failures += process_selected(account, selection.ids, "Renewed", reset_retention, action)
    _exit_if_any(failures)


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
    """Write letters to a file, as JSON lines. They stay on the queue.

    The file holds whole replies: keep it safe.
    """
    account: Account = context.obj
    filters = make_filters(None, reason, contact, older_than, newer_than)
    count = 0
    failures: list[Failure] = []
    with account.dead_letters(read_payloads=filters.need_payloads) as reader, private_file(file) as written:
        try:
            for letter in map(reader.with_payload, choose(reader, filters, time.time(), limit)):
                written.write(json_line(letter_json(letter)) + "\n")
                count += 1
                failures += filter(None, [letter.payload_failure])
        except BaseException:
            file.unlink()  # half an export looks like a whole one
            raise
    output.say(f"{count_letters(count)} {'is' if count == 1 else 'are'} in {file}.")
    _exit_if_any([*failures, *reader.unseen_failures()])


def import_letters(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="From an export or a discard.")]
) -> None:
    """Put exported letters on the dead-letter queue.

    Body, attributes and token are as they were. If a letter is imported twice, Connect still sends the reply once,
    because both copies have the same token.
    """
    account: Account = context.obj
    with file.open("rb") as lines:
        if errors := [each for each in read_export(lines) if isinstance(each, Failure)]:
            output.show_failures(errors)
            output.say("Nothing was imported.")
            raise typer.Exit(EXIT_PARTIAL)
        lines.seek(0)
        messages = (imported_message(account, *each) for each in read_export(lines) if not isinstance(each, Failure))
        with journal(account, "dlq import") as action:
            code = send_messages(account, account.queues.dead_letters, messages, "imported", action)
        raise typer.Exit(code)


def _preview(account: Account, selection: Selection, *, show: bool, as_json: bool) -> list[Failure]:
    """Select what would be replayed; return what can't be replayed, and what was not seen."""
    with account.dead_letters(read_payloads=selection.filters.need_payloads) as reader:
        for letters in selection.select_from(reader.batches()):
            for letter in letters if show else ():
                show_plan(letter, _plan(letter, selection.now), as_json=as_json)
    return [*reader.unseen_failures(), *selection.failures, *selection.missing()]


def _plan(letter: Letter, now: float) -> str:
    message = message_for_replies(letter, now)
    if isinstance(message, Failure):
        return f"stays: {message.why}"
    plan = "token: its id" if token_is_message_id(letter.attributes) else "token kept"
    dropped = [name for name in producer_attributes(letter.attributes) if name not in message.attributes]
    return f"{plan}, without {len(dropped)} attributes" if dropped else plan


def _report(selection: Selection, failures: list[Failure]) -> None:
    """Report what was not done. Duplicates of a replayed letter count as done."""
    output.show_failures(failures)
    if selection.duplicates:
        noun = "duplicate" if selection.duplicates == 1 else "duplicates"
        output.warn(f"Skipped {selection.duplicates:,} {noun} (same client token).")


def _preview_result(selection: Selection, rate: float | None, failures: int, *, dry_run: bool) -> str:
    if not dry_run:
        return "No letters to replay."
    return f"{len(selection.ids)} would be replayed{_at(rate)}, {failures} would not. Nothing was done."


def _question(selection: Selection, rate: float | None, canary: int | None) -> str:
    first = "" if canary is None else f", {canary} first{',' if rate else ''}"
    older = selection.older_than_draft
    expired = (
        f" ({older} older than 12 hours: if a draft has expired, its reply comes back as NotFound.)" if older else ""
    )
    return f"Replay {_selected(selection)}{first}{_at(rate)}?{expired}"


def _selected(selection: Selection) -> str:
    return f"{count_letters(len(selection.ids))} ({format_counts(selection.reasons)})"


def _at(rate: float | None) -> str:
    return "" if rate is None else f" at {rate:g} a second"


def _exit_if_any(failures: list[Failure]) -> None:
    """Report failures and exit with EXIT_PARTIAL, if there are any."""
    if failures:
        output.show_failures(failures)
        raise typer.Exit(EXIT_PARTIAL)
