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
    require_log,
    require_selection,
)
from courier.dead_letters import EXPIRING_SECONDS, RETENTION_SECONDS, DeadLetterReader, Letter
from courier.edit import edit_letter
from courier.export import imported_message, letter_json, private_file, read_export, write_then_delete
from courier.groups import group_letters, show_group
from courier.journal import journal
from courier.outcomes import OutcomeWatch, suggest_next
from courier.output import EXIT_OK, EXIT_PARTIAL, Failure, confirm, count_letters, format_counts, json_line
from courier.payloads import UnreadableError
from courier.replay import ReplayOptions, ReplayRun, run_replay, show_not_replayed
from courier.selection import Selection, process_selected, select_letters
from courier.sending import Outgoing, message_for_dead_letter_queue, message_for_reply_queue, move, send_messages
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
    selection = Selection(filters, now)
    with (
        output.waiting("Reading the dead-letter queue", quiet=True),
        account.dead_letters(read_payloads=filters.need_payloads) as reader,
    ):
        rows = [Row.of(letter) for letter in selection.letters(reader)]
    oldest = heapq.nsmallest(limit or len(rows), rows, key=attrgetter("sent_at"))
    if as_json:
        for row in oldest:
            output.data(json_line(row.summary))
    elif not oldest:
        output.say(filters.no_match)
    else:
        show_letter_list(oldest, now, details=details)
    _exit_if_any(selection.failures)


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
    selection = Selection(filters, now)
    with account.dead_letters(read_payloads=filters.need_payloads) as reader:
        found = group_letters(selection.letters(reader))
    for group in found:
        if as_json:
            output.data(json_line(group.to_json()))
        else:
            show_group(group, now)
    if not found and not as_json:
        output.say(filters.no_match)
    _exit_if_any(selection.failures)


def show(context: typer.Context, letter_id: OneId, *, as_json: Json = False) -> None:
    """Show a letter: the reply, its history, and what to do. It shows addresses."""
    account: Account = context.obj
    selection = Selection(make_filters([letter_id]), time.time())
    with account.dead_letters() as reader:
        letter = next(map(reader.with_payload, selection.letters(reader)), None)
    if letter is None:
        _exit_if_any(selection.failures)
    elif as_json:
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
    require_log(account, wanted=wait or canary is not None, timeout=timeout)
    filters = make_filters(ids, reason, contact, older_than, newer_than)
    if every or not dry_run:  # a dry run may omit --all
        require_selection(filters, limit, every=every)
    selection = Selection(filters, time.time(), limit, for_replay=True, force=force, traceable=canary is not None)
    if dry_run:
        raise typer.Exit(_dry_run(account, selection, rate, as_json=as_json))
    options = ReplayOptions(rate, canary, wait=wait, timeout=timeout, journal_required=force and not no_journal)
    preview = None
    if not yes:
        preview = selection
        select_letters(account, preview)
        show_not_replayed(preview.failures, preview.duplicates)
        if not preview.ids:
            if as_json:
                output.data(json_line(ReplayRun(account, preview, options).to_json()))
            else:
                output.say("No letters to replay.")
            raise typer.Exit(EXIT_PARTIAL if preview.failures else EXIT_OK)
        _confirm_replay(preview, rate, canary)
        selection = preview.second_pass()
    requested = asdict(filters) | {"limit": limit, "all": every}
    is_done = run_replay(account, selection, options, requested, preview=preview, as_json=as_json)
    raise typer.Exit(EXIT_OK if is_done else EXIT_PARTIAL)


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
    require_log(account, wanted=wait, timeout=timeout)
    required = (force or new_token) and not no_journal
    outcomes, since = edit_letter(
        account, letter_id, new_token=new_token, force=force, yes=yes, journal_required=required
    )
    try:
        if wait:
            OutcomeWatch(account).wait(outcomes, since, timeout)
    finally:
        if wait:
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
    select_letters(account, selection)
    output.show_failures(selection.failures)
    if not selection.ids:
        output.say("No letters to discard.")
        raise typer.Exit(EXIT_PARTIAL if selection.failures else EXIT_OK)
    confirm(f"Discard {_selected(selection)}?", yes=yes)
    path = to or Path(time.strftime("courier-discarded-%Y%m%dT%H%M%SZ.jsonl", time.gmtime()))
    requested = asdict(filters) | {"limit": limit, "all": every}
    with journal(account, "dlq discard", required=not no_journal, **requested) as action, private_file(path) as file:
        output.say(f"The discarded letters are written to {path}.")

        def process(reader: DeadLetterReader, letters: Sequence[Letter]) -> list[Failure]:
            return write_then_delete(reader, file, letters, because)

        failures = process_selected(account, selection, "Discarded", process, action, read_payloads=True)
    raise typer.Exit(EXIT_PARTIAL if failures or selection.failures else EXIT_OK)


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
    select_letters(account, selection)
    output.show_failures(selection.failures)
    if not selection.ids:
        output.say("No letters to renew.")
        raise typer.Exit(EXIT_PARTIAL if selection.failures else EXIT_OK)

    def reset_retention(reader: DeadLetterReader, letters: Sequence[Letter]) -> list[Failure]:
        messages = [message_for_dead_letter_queue(each) for each in letters]
        return move(account, reader, account.queues.dead_letters, letters, messages)

    confirm(f"Renew {_selected(selection)}?", yes=yes)
    with journal(account, "dlq renew", **asdict(filters), limit=limit) as action:
        failures = process_selected(account, selection, "Renewed", reset_retention, action)
    raise typer.Exit(EXIT_PARTIAL if failures or selection.failures else EXIT_OK)


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
    selection = Selection(filters, time.time(), limit)
    count = 0
    failures: list[Failure] = []
    with account.dead_letters(read_payloads=filters.need_payloads) as reader, private_file(file) as written:
        try:
            for letter in map(reader.with_payload, selection.letters(reader)):
                written.write(json_line(letter_json(letter)) + "\n")
                count += 1
                if letter.payload_failure:
                    failures.append(letter.payload_failure)
        except BaseException:
            file.unlink()  # half an export looks like a whole one
            raise
    output.say(f"{count_letters(count)} {'is' if count == 1 else 'are'} in {file}.")
    _exit_if_any([*failures, *selection.failures])


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


def _dry_run(account: Account, selection: Selection, rate: float | None, *, as_json: bool) -> int:
    """Show what a replay would do with each letter; return the exit code."""
    stays = 0
    with account.dead_letters(read_payloads=selection.filters.need_payloads) as reader:
        for letter in selection.letters(reader):
            try:
                account.payloads.extend(letter.body, letter.attributes, dry_run=True)
                message = message_for_reply_queue(letter, selection.now, force=selection.force)
            except UnreadableError as error:
                message = Failure(letter.id, f"its body in S3 {error}")
            stays += isinstance(message, Failure)
            show_plan(letter, _plan(letter, message), as_json=as_json)
    failures = selection.failures
    show_not_replayed(failures, selection.duplicates)
    if not as_json:
        would = f"{len(selection.ids) - stays} would be replayed{_at(rate)}"
        output.say(f"{would}, {len(failures) + stays} would not. Nothing was done.")
    return EXIT_PARTIAL if failures or stays else EXIT_OK


def _plan(letter: Letter, message: Outgoing | Failure) -> str:
    if isinstance(message, Failure):
        return f"stays: {message.why}"
    plan = "its message id becomes its token" if token_is_message_id(letter.attributes) else "keeps its token"
    dropped = [name for name in producer_attributes(letter.attributes) if name not in message.attributes]
    if not dropped:
        return plan
    return f"{plan}; {len(dropped)} attribute{'s do' if len(dropped) > 1 else ' does'}n't fit"


def _confirm_replay(selection: Selection, rate: float | None, canary: int | None) -> None:
    if older := selection.older_than_draft:
        expired = "If a draft has expired, its reply comes back as NotFound."
        output.warn(f"Older than 12 hours: {count_letters(older)}. {expired}")
    first = "" if canary is None or canary >= len(selection.ids) else f", {canary} first{',' if rate else ''}"
    confirm(f"Replay {_selected(selection)}{first}{_at(rate)}?", yes=False)


def _selected(selection: Selection) -> str:
    return f"{count_letters(len(selection.ids))} ({format_counts(selection.reasons)})"


def _at(rate: float | None) -> str:
    return "" if rate is None else f" at {rate:g} a second"


def _exit_if_any(failures: list[Failure]) -> None:
    """Report failures and exit with EXIT_PARTIAL, if there are any."""
    if failures:
        output.show_failures(failures)
        raise typer.Exit(EXIT_PARTIAL)
