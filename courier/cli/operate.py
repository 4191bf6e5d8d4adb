"""The other commands: `send`, `check`, `status`, `pause`, `resume`, `trace` and `doctor`."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import ClientError

from contract.client_token import MAX_TOKEN_CHARACTERS, is_identifier
from contract.message_attributes import replace_invalid_characters
from courier import output
from courier.aws import Account
from courier.cli.options import Json, Since, Yes
from courier.doctor.checks import Examination, Finding, Level, show_findings
from courier.doctor.queries import Clients
from courier.doctor.send_test import send_test
from courier.errors import NOT_ALLOWED
from courier.journal import journal
from courier.output import EXIT_OK, EXIT_PARTIAL, format_age, json_line, waiting
from courier.pause import MappingTimeoutError, SendingState, Switch
from courier.reply_files import DIGEST_CHARACTERS, check_replies, digest, open_replies, read_replies, reply_messages
from courier.sending import send_messages
from courier.status import Status, read_status, show_statuses
from courier.trace.log import MAX_ROWS, LogSearch, LogSearchError
from courier.trace.page import show_story, story_json
from courier.trace.story import LetterSummary, Place, follow, not_found, stories

WATCH_SECONDS = 5
SEARCHED_SECONDS = 14 * 86_400
"""How much of the log `trace` searches by default: SQS keeps a message for as long."""
DRAFTS_EXPIRE = (
    "Drafts still expire in Connect, after 12 hours by default. A reply whose draft has expired goes to the "
    "dead-letter queue. To resume sending: courier resume"
)

File = Annotated[str, typer.Argument(metavar="FILE|-", help="One reply as JSON, or JSON lines; - is standard input.")]


def check(file: File, *, as_json: Json = False) -> None:
    """Report every error of every reply, and what would be right. It does not use AWS."""
    with open_replies(file) as content:
        raise typer.Exit(check_replies(content, as_json=as_json))


def send(
    context: typer.Context,
    file: File,
    *,
    token: Annotated[
        str | None, typer.Option(help="The client token of a single reply.", show_default="from the prefix")
    ] = None,
    token_prefix: Annotated[
        str | None, typer.Option(help="The beginning of each client token.", show_default="a new one")
    ] = None,
    through_s3: Annotated[
        bool, typer.Option("--through-s3", help="Store all bodies in S3, not only those larger than a message.")
    ] = False,
) -> None:
    """Put replies on the queue, if all of them match the contract.

    A client token is the prefix and a digest of the reply. So with the same prefix, replies that were sent before are
    not sent again, even if you add or remove lines.
    """
    account: Account = context.obj
    if any(given is not None and replace_invalid_characters(given) != given for given in (token, token_prefix)):
        raise typer.BadParameter("a token is text, of characters that SQS accepts")
    if token is not None and not 1 <= len(token) <= MAX_TOKEN_CHARACTERS:
        raise typer.BadParameter(f"a token has 1 to {MAX_TOKEN_CHARACTERS} characters")
    if token_prefix is not None and not 1 <= len(token_prefix) <= MAX_TOKEN_CHARACTERS - DIGEST_CHARACTERS - 1:
        raise typer.BadParameter(f"a prefix has 1 to {MAX_TOKEN_CHARACTERS - DIGEST_CHARACTERS - 1} characters")
    with open_replies(file) as content:
        if token is not None and sum(1 for _ in read_replies(content)) > 1:
            raise typer.BadParameter("--token is for a single reply; use --token-prefix for several")
        if check_replies(content, quiet=True) != EXIT_OK:
            output.say("Nothing was sent.")
            raise typer.Exit(EXIT_PARTIAL)
        # Always pass a token: with SQS's message id as the token, a repeated call would send a reply twice.
        prefix = token_prefix or str(uuid.uuid4())
        hint = f" Run it again with --token-prefix {prefix}; no reply is sent twice."
        messages = reply_messages(
            account, content, lambda body: token or f"{prefix}.{digest(body)}", through_s3=through_s3
        )
        with journal(account, "send") as action:
            code = send_messages(
                account,
                account.queues.replies,
                messages,
                "on the queue",
                action,
                resume_hint=hint if token is None and token_prefix is None else "",
            )
        raise typer.Exit(code)


def status(
    context: typer.Context,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Update every few seconds, until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Show what waits, the dead letters by reason, and any pause."""
    account: Account = context.obj
    if watch:
        _show_statuses(_repeated(account), as_json=as_json, repeat_after=WATCH_SECONDS)
        return
    now = read_status(account, time.time())
    _show_statuses(iter([now]), as_json=as_json)
    if now.letters.unseen:
        output.show_failures(now.letters.unseen)
        raise typer.Exit(EXIT_PARTIAL)


def pause(context: typer.Context, *, as_json: Json = False) -> None:
    """Stop sending now. No reply is lost: all wait on the queue until `courier resume`.

    It returns when Lambda receives no more messages and every invocation in flight has ended. That takes about two
    and a half minutes, the function's time-out. Ctrl-C ends the wait, not the pause.
    """
    account: Account = context.obj
    switch = Switch(account, time.monotonic, time.sleep)
    try:
        with journal(account, "pause") as action:
            with waiting("Waiting until Lambda stops receiving"):
                state = switch.pause(time.time())
            action.outcome = state.to_json()
            seconds = switch.longest_invocation()
            output.warn(DRAFTS_EXPIRE)
            with waiting(f"Replies in flight may be sent for another {seconds} s"):
                switch.wait_for_invocations(seconds)
    except MappingTimeoutError as error:
        output.fail(str(error))
        raise typer.Exit(EXIT_PARTIAL) from None
    _show_state(state, f"Sending is paused, by {state.paused_by} since {state.paused_at}.", as_json=as_json)


def resume(context: typer.Context, *, as_json: Json = False) -> None:
    """Resume sending after a pause, at the usual pace."""
    account: Account = context.obj
    switch = Switch(account, time.monotonic, time.sleep)
    try:
        with journal(account, "resume") as action, waiting("Waiting until Lambda receives again"):
            state = switch.resume()
            action.outcome = state.to_json()
    except MappingTimeoutError as error:
        output.fail(str(error))
        raise typer.Exit(EXIT_PARTIAL) from None
    _show_state(state, "Sending has resumed. To watch it: courier status --watch", as_json=as_json)


def trace(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A client token, a contact id or a message id.")],
    *,
    since: Since = None,
    as_json: Json = False,
) -> None:
    """Show what happened to a reply, and where it is now.

    It searches the function's log and the dead-letter queue.
    """
    account: Account = context.obj
    now = time.time()
    with account.dead_letters() as reader:
        letters = [LetterSummary.of(letter) for letter in reader]
    unseen = reader.unseen_failures()
    searched = since or SEARCHED_SECONDS
    search = LogSearch(account.logs, account.output("LogGroupName"), max(0, now - searched), now)
    if not is_identifier(name):
        output.warn("That is not an identifier, so the log withholds it. Only the dead-letter queue is searched.")
    try:
        lines, ours = follow(name, letters, search.find)
    except LogSearchError as error:
        output.fail(str(error))
        raise typer.Exit(EXIT_PARTIAL) from None
    found = stories(lines, ours, now, all_letters_seen=not unseen) or [not_found(format_age(searched))]
    for story in found:
        if as_json:
            output.data(json_line(story_json(story)))
        else:
            show_story(story)
    if not search.is_complete:
        output.warn(f"The log has more lines about this. Only the newest {MAX_ROWS:,} of each search are shown.")
    output.show_failures(unseen)
    if unseen or not search.is_complete or any(story.ending.place is Place.UNKNOWN for story in found):
        raise typer.Exit(EXIT_PARTIAL)


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
        Path | None, typer.Option(help="A new file for the answers of the test.", show_default="named by the time")
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Check the deployment and suggest fixes.

    It checks the stack, the event source mapping, recipients, attempts, alarms, quotas and the instance. It exits with
    0 only if everything is good, and with 1 if something is bad or not known. A test exits with 0 only if it settles
    all its questions.
    """
    account: Account = context.obj
    if account.given_queues:
        raise typer.BadParameter("doctor checks a stack: name it with --stack, and omit the URLs of the queues")
    if to and not test:
        raise typer.BadParameter("--to is for --send-test")
    if test:
        send_test(account, *test, to, yes=yes, as_json=as_json)
        return
    _require_stack(account)
    levels: set[Level] = set()

    def findings() -> Iterator[Finding]:
        for finding in Examination(account, Clients.of(account), time.time()).findings():
            levels.add(finding.level)
            yield finding

    if as_json:
        for finding in findings():
            output.data(json_line(finding.to_json()))
    else:
        show_findings(findings())
    if levels != {Level.GOOD}:
        raise typer.Exit(EXIT_PARTIAL)


def _require_stack(account: Account) -> None:
    """Check that there is a stack, and that AWS answers. If the operator may not ask, the checks say so.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: There is no stack, or AWS did not answer.
    """
    try:
        account.stack_status  # noqa: B018 - it asks AWS
    except ClientError as error:
        if error.response["Error"].get("Code") not in NOT_ALLOWED:
            raise


def _show_statuses(statuses: Iterator[Status], *, as_json: bool, repeat_after: float | None = None) -> None:
    if not as_json:
        show_statuses(statuses, repeat_after)
        return
    for each in statuses:
        output.data(json_line(each.to_json()))


def _repeated(account: Account) -> Iterator[Status]:
    before = None
    while True:
        yield (before := read_status(account, time.time(), before))
        time.sleep(WATCH_SECONDS)


def _show_state(state: SendingState, text: str, *, as_json: bool) -> None:
    if as_json:
        output.data(json_line(state.to_json()))
    else:
        output.say(text)
