"""`courier send` and `courier check`: replies on their way to the queue."""

import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import ClientError

from contract.client_token import MAX_CHARACTERS
from contract.identifier import is_identifier
from contract.message_attributes import xml_characters
from courier import output
from courier.aws import Account
from courier.cli.options import Json, Since, Yes
from courier.dead_letters import DeadLetterReader
from courier.doctor.checks import Examination, Finding, Level, show_findings
from courier.doctor.queries import clients_of
from courier.doctor.send_test import send_test
from courier.errors import NOT_ALLOWED, explain
from courier.journal import journal
from courier.output import EXIT_OK, EXIT_PARTIAL, Failure, format_age, json_line, waiting
from courier.pause import Sending, StuckError, Switch
from courier.reply_files import DIGEST_CHARACTERS, _check, _in_s3, _outgoing, digest, opened
from courier.reply_files import replies as replies_of
from courier.sending import check_size, send_messages
from courier.status import Status, show_statuses
from courier.status import status as status_now
from courier.trace.log import MAX_ROWS, LogSearch, LogSearchError
from courier.trace.page import show_story, story_json
from courier.trace.story import LetterSummary, Place, Story, follow, not_found, stories, summarize_letter

File = Annotated[str, typer.Argument(metavar="FILE|-", help="One reply as JSON, or JSON lines; - is standard input.")]


def check(file: File, *, as_json: Json = False) -> None:
    """Tell every fault of every reply. Says where, and what would be right; asks nothing of AWS."""
    with opened(file) as content:
        raise typer.Exit(_check(content, as_json=as_json))


def send(
    context: typer.Context,
    file: File,
    *,
    token: Annotated[
        str | None, typer.Option(help="The client token of one reply.", show_default="made from the prefix")
    ] = None,
    token_prefix: Annotated[
        str | None, typer.Option(help="What the client tokens begin with.", show_default="a new one")
    ] = None,
    through_s3: Annotated[
        bool, typer.Option("--through-s3", help="Put all bodies into S3, and not only those larger than a message.")
    ] = False,
) -> None:
    """Put replies on the queue, if all of them keep the contract.

    With the same prefix, what was sent before is not sent again: each client token is the prefix and a digest of its
    reply, so that lines may come and go.
    """
    account: Account = context.obj
    if any(given is not None and xml_characters(given) != given for given in (token, token_prefix)):
        raise typer.BadParameter("a token is text, of characters that SQS takes")
    if token is not None and not 1 <= len(token) <= MAX_CHARACTERS:
        raise typer.BadParameter(f"a token has 1 to {MAX_CHARACTERS} characters")
    if token_prefix is not None and not 1 <= len(token_prefix) <= MAX_CHARACTERS - DIGEST_CHARACTERS - 1:
        raise typer.BadParameter(f"a prefix has 1 to {MAX_CHARACTERS - DIGEST_CHARACTERS - 1} characters")
    with opened(file) as content:
        if token is not None and sum(1 for _ in replies_of(content)) > 1:
            raise typer.BadParameter("--token names one reply, and here are several: use --token-prefix")
        if _check(content, as_json=False, quiet=True) != EXIT_OK:
            output.say("Nothing was sent.")
            raise typer.Exit(EXIT_PARTIAL)
        # Always one of ours: with SQS's message id as the token, a call that is repeated would send a reply twice.
        prefix = token_prefix or str(uuid.uuid4())
        is_ours = token is None and token_prefix is None
        after_a_stop = f" Run it again with --token-prefix {prefix}: no reply is sent twice." if is_ours else ""
        messages = (
            _in_s3(account, message) if through_s3 or isinstance(check_size(message), Failure) else message
            for message in _outgoing(replies_of(content), lambda body: token or f"{prefix}.{digest(body)}")
        )
        with journal(account, time.time, output.warn, "send") as action:
            code = send_messages(account, account.queues.replies, messages, "on the queue", action, after_a_stop)
        raise typer.Exit(code)


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
        _show_status(_repeated(account), as_json=as_json, again_after=WATCH_SECONDS)
        return
    now = status_now(account, time.time(), output.warn)
    _show_status([now], as_json=as_json)
    if now.letters.not_seen:
        output.show_failures(now.letters.not_seen)
        raise typer.Exit(EXIT_PARTIAL)


def _show_status(statuses: Iterable[Status], *, as_json: bool, again_after: float | None = None) -> None:
    if not as_json:
        show_statuses(statuses, again_after)
        return
    for each in statuses:
        output.data(json_line(each.to_json()))


def _repeated(account: Account) -> Iterator[Status]:
    before = None
    while True:
        yield (before := status_now(account, time.time(), output.warn, before))
        time.sleep(WATCH_SECONDS)


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
        with journal(account, time.time, output.warn, "pause", required=False) as action:
            with waiting("Lambda is told to stop receiving"):
                sending = switch.pause(time.time())
            action.outcome = sending.to_json()
            seconds = switch.longest_invocation()
            output.warn(EXPIRING)
            with waiting(f"None is received any more; what is in flight may go out for {seconds} s"):
                switch.wait_for_invocations(seconds)
    except StuckError as error:
        output.fail(str(error))
        raise typer.Exit(EXIT_PARTIAL) from None
    _tell_sending(sending, f"Sending is paused, by {sending.paused_by} since {sending.paused_at}.", as_json=as_json)


def resume(context: typer.Context, *, as_json: Json = False) -> None:
    """Go on sending after a pause. The replies that wait are sent at the usual pace."""
    account: Account = context.obj
    switch = Switch(account, time.monotonic, time.sleep)
    try:
        with journal(account, time.time, output.warn, "resume") as action, waiting("Lambda is told to go on"):
            sending = switch.resume()
            action.outcome = sending.to_json()
    except StuckError as error:
        output.fail(str(error))
        raise typer.Exit(EXIT_PARTIAL) from None
    _tell_sending(sending, "Sending goes on. Watch it with: courier status --watch", as_json=as_json)


def _tell_sending(sending: Sending, text: str, *, as_json: bool) -> None:
    if as_json:
        output.data(json_line(sending.to_json()))
    else:
        output.say(text)


SINCE = 14 * 86_400
"""Seconds: a message lives as long on a queue."""


WITHHELD = (
    "That is not an identifier, so the function's log withholds it: only the dead-letter queue is searched for it."
)


def trace(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A client token, a contact id or a message id.")],
    *,
    since: Since = None,
    as_json: Json = False,
) -> None:
    """Tell a reply's whole story, and where it is now. From the function's log and the dead-letter queue."""
    account: Account = context.obj
    now = time.time()
    letters, not_seen = _letters(account)
    search = LogSearch(account.logs, account.log_group, max(0, now - (since or SINCE)), now)
    if not is_identifier(name):
        output.warn(WITHHELD)
    try:
        lines, ours = follow(name, letters, search.about)
    except LogSearchError as error:
        output.fail(str(error))
        raise typer.Exit(EXIT_PARTIAL) from None
    told = stories(lines, ours, now, all_letters_seen=not not_seen) or [
        Story(None, frozenset(), (), (), not_found(format_age(since or SINCE)))
    ]
    for story in told:
        if as_json:
            output.data(json_line(story_json(story)))
        else:
            show_story(story)
    if not search.is_complete:
        output.warn(f"The log has more lines of this: only the newest {MAX_ROWS:,} of a search are told.")
    output.show_failures(not_seen)
    if not_seen or not search.is_complete or any(story.ending.place is Place.UNKNOWN for story in told):
        raise typer.Exit(EXIT_PARTIAL)


def _letters(account: "Account") -> tuple[list[LetterSummary], Sequence[Failure]]:
    """Every letter's names; and what to tell of those that somebody else holds."""
    with DeadLetterReader(account.sqs, account.queues.dead_letters, output.warn) as held:
        letters = [summarize_letter(letter) for letter in held]
    return letters, held.not_seen()


def doctor(
    context: typer.Context,
    *,
    test: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--send-test",
            metavar="CONTACT-ID ADDRESS",
            help="Instead, send a test email and see how Connect answers where AWS does not document it. The contact, "
            "a draft, is used up.",
        ),
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="The new file for a test's answers; or one named by the time.")
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Look whether all is well: stack, function, alarms, queues, quotas, instance. Says what to do where it is not.

    Exits with 0 only if everything is good; with 1 if something is bad, or is not known. A test exits with 0 only if
    all it asks for is settled.
    """
    account: Account = context.obj
    if account.given_queues:
        raise typer.BadParameter("doctor looks at a stack: name it with --stack, and leave the queues' URLs out")
    if to and not test:
        raise typer.BadParameter("--to is for --send-test")
    if test:
        send_test(account, *test, to, yes=yes, as_json=as_json)
        return
    _ask_for_the_stack(account)
    examination = Examination(account, clients_of(account), time.time(), lambda error: explain(error, account))
    found: list[Finding] = []
    _show_findings(_kept(examination.findings(), found), as_json=as_json)
    if any(finding.level is not Level.GOOD for finding in found):
        raise typer.Exit(EXIT_PARTIAL)


def _ask_for_the_stack(account: Account) -> None:
    """See that there is a stack, and that AWS can be asked. Who may not ask for it learns so from the checks.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: There is not, or it cannot.
    """
    try:
        account.stack_status  # noqa: B018 - it asks
    except ClientError as error:
        if error.response["Error"].get("Code") not in NOT_ALLOWED:
            raise


def _kept(findings: Iterable[Finding], kept: list[Finding]) -> Iterator[Finding]:
    for finding in findings:
        kept.append(finding)
        yield finding


def _show_findings(findings: Iterable[Finding], *, as_json: bool) -> None:
    if not as_json:
        show_findings(findings)
        return
    for finding in findings:
        output.data(json_line(finding.to_json()))
