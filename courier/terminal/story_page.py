"""A reply's story on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from courier.queues.advice import advice
from courier.queues.letter import printable_identifier
from courier.terminal.view import data, out
from courier.tracing.ending import Place, utc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from courier.tracing.log_line import LogLine
    from courier.tracing.story import Step, Story

_COLOURS = {Place.SENT: "green", Place.DEAD_LETTERED: "red", Place.UNKNOWN: "yellow", Place.WAITING: "yellow"}
_WITHOUT_AN_ANSWER = {"Unavailable", "TimedOut", "Unexpected"}
"""Causes after which Connect may have accepted the reply; the next call has the same token."""
_EVENTS = {
    "reply_sent": "sent",
    "reply_already_sent": "Connect had accepted it before",
    "reply_retried": "{failed}: {cause}; again in {seconds} s at the earliest",
    "attempt_failed": "{failed}: {cause}; again in this receive",
    "reply_handed_back": "handed back untried; again in {seconds} s",
    "reply_dead_lettered": "to the dead-letter queue: {reason}",
    "dead_letter_failed": "the dead-letter queue did not take it ({error})",
    "visibility_change_failed": "SQS did not hide it ({error}): it comes back after the visibility time-out",
    "unexpected_error": "the function failed on it ({error})",
}


def story_page(story: Story) -> None:
    """What happened, line by line, and in one sentence where the reply is now."""
    out.print(Text(f"Client token {story.token or 'not known, or withheld in the log'}", style="bold"), soft_wrap=True)
    for contact_id in sorted(story.contact_ids):
        out.print(Text(f"Contact      {contact_id}"), soft_wrap=True)
    rows = [(utc(step.at), _told(step)) for step in story.steps]
    for letter in story.letters:
        reason = printable_identifier(letter.reason) or "a reason that is not one of ours"
        rows.append(("now", f"on the dead-letter queue, as {letter.id}: {reason}"))
    _show(rows)
    out.print(Text(story.ending.sentence, style=_COLOURS[story.ending.place]), soft_wrap=not out.is_terminal)
    if story.ending.place is Place.DEAD_LETTERED:
        out.print(Text(advice(story.ending.why, story.letters[-1].id)), soft_wrap=not out.is_terminal)


def _show(rows: Iterable[tuple[str, str]]) -> None:
    """A line each; on a terminal, the words in a column of their own."""
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


def _told(step: Step) -> str:
    if step.line:
        return f"receive {step.line.receive_count}: {_event(step.line)}"
    if step.receives:
        first, last = step.receives
        which = f"receive {first}" if first == last else f"receives {first} to {last}"
        return f"{which} left no line: cut off, or older than what was searched"
    if step.what == "put_again":
        how = "on the queue again" if step.is_replay else "on the queue, another under this token"
        return f"{how}: message {step.message_id}"
    return f"on the queue: message {step.message_id}"


def _event(line: LogLine) -> str:
    seconds = "?" if line.seconds is None else f"{line.seconds:g}"
    failed = "not known to be sent" if line.cause in _WITHOUT_AN_ANSWER else "not sent"
    told = _EVENTS.get(line.event, line.event).format(
        failed=failed, cause=line.cause or "?", reason=line.reason or "?", error=line.error or "?", seconds=seconds
    )
    return f"{told} (Connect's request {line.connect_request_id})" if line.connect_request_id else told
