"""The state of the queues on the screen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from courier.queues.metrics import SENT_MINUTES
from courier.queues.selection import short
from courier.terminal.view import out, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from courier.queues.queue_status import Status


def show_statuses(statuses: Iterable[Status], again_after: float | None = None) -> None:
    """Show each status in the place of the one before; off a terminal, one after the other.

    Args:
        statuses: What to show.
        again_after: Seconds between two of them; None for a single one.
    """
    if not out.is_terminal or again_after is None:
        for status in statuses:
            for part in _page(status):
                out.print(part, soft_wrap=isinstance(part, Text) and not out.is_terminal)
        return
    with Live(console=out, auto_refresh=False) as live:
        for status in statuses:
            asked = time.strftime("%H:%M:%S", time.localtime(status.asked_at))
            note = Text(f"Asked at {asked}, and again every {again_after:g} s. Ctrl-C ends it.", style="dim")
            live.update(Group(*_page(status), note), refresh=True)


def _page(status: Status) -> Iterator[Table | Text]:
    """Whether it is paused, both queues with the dead letters by their reasons, and how it goes on."""
    yield from _paused(status)
    yield _table(status)
    outlook, waiting = status.outlook, status.replies.all
    gone_in, share = outlook.gone_in(waiting), outlook.share_used
    if waiting and gone_in is not None:
        yield Text(
            f"If Connect takes them, they are gone in about {short(gone_in)}, at {outlook.send_rate:g} a second."
        )
    if share is not None:
        sent = f"{outlook.sent:,.0f}, {share:.0%} of sendRate"
        yield Text(f"Sent in the last {SENT_MINUTES} minutes: {sent} (counted up to 2 minutes late).")
    if waiting and outlook.sent == 0 and not outlook.sending.is_off:
        yield Text("If none goes out for longer: courier doctor", style="yellow")


def _paused(status: Status) -> Iterator[Text]:
    sending = status.outlook.sending
    who = f"by {printable(sending.paused_by)} since {sending.paused_at}" if sending.paused_by else "but not by courier"
    if sending.is_off:
        yield Text(f"PAUSED {who}: nothing is sent. All that waits is sent after: courier resume", style="bold red")
    elif sending.was_switched_on:
        yield Text(f"Paused {who}, and switched on since, not by courier resume. Pause it again?", style="bold red")


def _table(status: Status) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("QUEUE", "WAITING", "IN FLIGHT", "DELAYED", "OLDEST"):
        table.add_column(name, justify="left" if name == "QUEUE" else "right", no_wrap=True)
    for name, queue in (("replies", status.replies), ("dead letters", status.dead_letters)):
        counts = (str(count) for count in (queue.waiting, queue.in_flight, queue.delayed))
        table.add_row(name, *counts, "-" if queue.oldest is None else short(queue.oldest))
    letters = status.letters
    for reason, count in letters.reasons.most_common():
        table.add_row(f"  {reason}", str(count))
    if letters.near_7_days:
        table.add_row("  first tried 6 days ago or more", str(letters.near_7_days), style="red")
    if letters.expiring:
        table.add_row("  deleted by SQS within 3 days (dlq renew)", str(letters.expiring), style="red")
    return table
