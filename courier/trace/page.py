"""A story on the screen, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from contract.client_token import iso
from courier.dead_letters import printable_identifier
from courier.groups import advice
from courier.output import data, out
from courier.trace.story import Place, utc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from courier.trace.log import LogLine
    from courier.trace.story import Step, Story

_COLOURS = {Place.SENT: "green", Place.DEAD_LETTERED: "red", Place.UNKNOWN: "yellow", Place.WAITING: "yellow"}
_MAY_HAVE_BEEN_SENT = {"Unavailable", "TimedOut", "Unexpected"}
"""Causes after which Connect may have accepted the reply. The next call has the same token."""
_EVENTS = {
    "reply_sent": "sent",
    "reply_already_sent": "Connect had accepted it before",
    "reply_retried": "{failed}: {cause}; next attempt in {seconds} s or later",
    "attempt_failed": "{failed}: {cause}; next attempt in this receive",
    "reply_handed_back": "handed back without an attempt; visible again in {seconds} s",
    "reply_dead_lettered": "moved to the dead-letter queue: {reason}",
    "dead_letter_failed": "the dead-letter queue refused it ({error})",
    "visibility_change_failed": "SQS did not hide it ({error}): it is visible again after the visibility time-out",
    "unexpected_error": "the function failed ({error})",
}


def show_story(story: Story) -> None:
    """Print what happened, a line for each step, and a sentence that says where the reply is now."""
    out.print(Text(f"Client token {story.token or 'not known, or withheld in the log'}", style="bold"), soft_wrap=True)
    for contact_id in sorted(story.contact_ids):
        out.print(Text(f"Contact      {contact_id}"), soft_wrap=True)
    rows = [(utc(step.at), _in_words(step)) for step in story.steps]
    for letter in story.letters:
        reason = printable_identifier(letter.reason) or "unknown reason"
        rows.append(("now", f"on the dead-letter queue, as {letter.id}: {reason}"))
    _show_rows(rows)
    out.print(Text(story.ending.sentence, style=_COLOURS[story.ending.place]), soft_wrap=not out.is_terminal)
    if story.ending.place is Place.DEAD_LETTERED:
        out.print(Text(advice(story.ending.why, story.letters[-1].id)), soft_wrap=not out.is_terminal)


def story_json(story: Story) -> dict[str, Any]:
    """The story as `trace --json` writes it. Of its names, it has only identifiers."""
    ending = story.ending
    return {
        "client_token": story.token,
        "contact_ids": sorted(story.contact_ids),
        "place": ending.place,
        "at": None if ending.at is None else iso(ending.at),
        "why": ending.why,
        "sentence": ending.sentence,
        "steps": [_step_json(step) for step in story.steps],
        "letters": [
            {"id": letter.id, "reason": printable_identifier(letter.reason), "sent_at": iso(letter.sent_at)}
            for letter in story.letters
        ],
    }


def _show_rows(rows: Iterable[tuple[str, str]]) -> None:
    if not out.is_terminal:
        for when, what in rows:
            data(f"{when:24}  {what}")
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row)
    out.print(table)


def _in_words(step: Step) -> str:
    if step.line:
        return f"receive {step.line.receive_count}: {_event(step.line)}"
    if step.receives:
        first, last = step.receives
        which = f"receive {first}" if first == last else f"receives {first} to {last}"
        return f"{which} left no line: cut off, or older than the search"
    if step.what == "put_again":
        how = "on the queue again" if step.is_replay else "another message under this token on the queue"
        return f"{how}: message {step.message_id}"
    return f"on the queue: message {step.message_id}"


def _event(line: LogLine) -> str:
    seconds = "?" if line.seconds is None else f"{line.seconds:g}"
    failed = "may have been sent" if line.cause in _MAY_HAVE_BEEN_SENT else "not sent"
    text = _EVENTS.get(line.event, line.event).format(
        failed=failed, cause=line.cause or "?", reason=line.reason or "?", error=line.error or "?", seconds=seconds
    )
    return f"{text} (Connect's request {line.connect_request_id})" if line.connect_request_id else text


def _step_json(step: Step) -> dict[str, Any]:
    line = step.line
    return {
        "at": iso(step.at),
        "event": step.what,
        "message_id": step.message_id,
        "receive_count": line.receive_count if line else None,
        "receives": step.receives,
        "is_replay": step.is_replay,
        "cause": line.cause if line else None,
        "reason": line.reason if line else None,
        "error": line.error if line else None,
        "connect_request_id": line.connect_request_id if line else None,
        "seconds": line.seconds if line else None,
    }
