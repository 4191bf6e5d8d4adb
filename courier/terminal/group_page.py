"""A group of letters on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from courier.queues.selection import short
from courier.terminal.view import out

if TYPE_CHECKING:
    from courier.queues.letter_groups import Group

_INDENT = (0, 0, 0, 7)


def group_page(group: Group, now: float) -> None:
    """How many, how old, in which words, one of them, and what to do."""
    oldest, newest = short(now - group.oldest_at), short(now - group.newest_at)
    ages = f"{oldest} old" if oldest == newest else f"{newest} to {oldest} old"
    head = f"{group.count:6,} {group.reason or 'a reason that is not one of ours'}"
    out.print(Text(f"{head}  ", style="bold") + Text(ages, style="not bold"))
    for line in filter(None, (group.words, f"Such as {group.letter_id}", group.advice)):
        out.print(Padding(Text(line), _INDENT) if out.is_terminal else f"       {line}", soft_wrap=not out.is_terminal)
