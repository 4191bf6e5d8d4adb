"""A letter on the screen: the only place that shows a reply."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from contract.client_token import FIRST_TRIED_AT, iso
from contract.dead_letter import COURIER_ATTRIBUTES, DETAIL
from courier.queues.advice import advice
from courier.queues.letter import DRAFT_SECONDS, printable_identifier
from courier.queues.letter_json import summary
from courier.queues.selection import short
from courier.terminal.view import out, printable, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from courier.queues.letter import Letter

SHOWN_COPIES = 3
"""Of the CC recipients."""


def letter_page(letter: Letter, now: float) -> None:
    """The whole of a letter: the reply, its history, and last what went wrong and what to do: that stays in view."""
    for name, value in _parts(letter.reply):
        out.print(Text(printable(name), style="bold"))
        out.print(Text(f"{printable(value)}\n"), soft_wrap=not out.is_terminal)
    listed = summary(letter)
    history = Table.grid(padding=(0, 2))
    history.add_column(style="bold", no_wrap=True)
    history.add_column(overflow="fold")
    rows = {
        "Id": letter.id,
        "Contact": letter.contact_id or "",
        "Client token": letter.token or "cannot be used",
        "On this queue since": iso(letter.sent_at),
        "First tried": listed["first_tried_at"] or letter.text(FIRST_TRIED_AT),
        "Age": short(now - letter.sent_at) + _age_note(now - letter.sent_at),
    }
    producer_attributes = {
        f"Attribute {name}": value.get("StringValue", "(binary)")
        for name, value in letter.attributes.items()
        if name not in COURIER_ATTRIBUTES
    }
    wrong = {"Reason": letter.reason, "Detail": letter.text(DETAIL)}
    for name, value in (rows | producer_attributes | wrong).items():
        if value:
            history.add_row(printable(name), printable(value), style="red" if name in wrong else "")
    out.print(history)
    say(advice(printable_identifier(letter.reason), letter.id))


def _age_note(age: float) -> str:
    return ": its draft may have expired in Connect" if age > DRAFT_SECONDS else ""


def _parts(body: str) -> Iterator[tuple[str, str]]:
    """A reply as a person reads it: who it is for, its subject, its text; a body that is no reply as it is."""
    try:
        reply: Any = json.loads(body)
    except (ValueError, RecursionError):
        yield "Body (not JSON)", body
        return
    raw = reply.get("EmailMessage", {}) if isinstance(reply, dict) else None
    message = raw.pop("RawMessage", None) if isinstance(raw, dict) else None
    if isinstance(reply, dict):
        _fold_recipients(reply)
    yield "Reply", json.dumps(reply, indent=2, ensure_ascii=False)
    if isinstance(message, dict):
        for name, value in message.items():
            yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    elif message is not None:
        yield "RawMessage", json.dumps(message, ensure_ascii=False)


def _fold_recipients(reply: dict[str, Any]) -> None:
    """Leave the first of many, with the number of the others: 50 of them would fill three screens."""
    more = reply.get("AdditionalRecipients")
    copies = more.get("CcEmailAddresses") if isinstance(more, dict) else None
    if isinstance(copies, list) and len(copies) > SHOWN_COPIES:
        copies[SHOWN_COPIES:] = [f"… and {len(copies) - SHOWN_COPIES} more: see --json"]
