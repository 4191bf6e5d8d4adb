"""`courier trace`."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from contract.client_token import is_identifier
from courier.commands.options import SOME_NOT_DONE, Json, Since
from courier.queues.held_letters import HeldLetters
from courier.queues.letter_json import json_line
from courier.queues.selection import short
from courier.queues.sending import NotDone
from courier.terminal import view
from courier.terminal.story_page import story_page
from courier.tracing.ending import Place, not_found
from courier.tracing.following import follow
from courier.tracing.letter_now import LetterNow, letter_now
from courier.tracing.log_search import MAX_ROWS, LogSearch, LogSearchError
from courier.tracing.story import Story, stories
from courier.tracing.story_json import story_json

if TYPE_CHECKING:
    from courier.aws import Account

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
        view.warn(WITHHELD)
    try:
        lines, ours = follow(name, letters, search.about)
    except LogSearchError as failed:
        view.fail(str(failed))
        raise typer.Exit(SOME_NOT_DONE) from None
    told = stories(lines, ours, now, all_letters_seen=not not_seen) or [
        Story(None, frozenset(), (), (), not_found(short(since or SINCE)))
    ]
    for story in told:
        if as_json:
            view.data(json_line(story_json(story)))
        else:
            story_page(story)
    if not search.is_complete:
        view.warn(f"The log has more lines of this: only the newest {MAX_ROWS:,} of a search are told.")
    view.not_done(not_seen)
    if not_seen or not search.is_complete or any(story.ending.place is Place.UNKNOWN for story in told):
        raise typer.Exit(SOME_NOT_DONE)


def _letters(account: "Account") -> tuple[list[LetterNow], Sequence[NotDone]]:
    """Every letter's names; and what to tell of those that somebody else holds."""
    with HeldLetters(account.sqs, account.queues.dead_letters, view.warn) as held:
        letters = [letter_now(letter) for letter in held]
    return letters, held.not_seen()
