"""Follows a reply from one of its names to all its lines and letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from courier.tracing.letter_now import LetterNow
    from courier.tracing.log_line import LogLine


def follow(
    name: str, letters: Sequence[LetterNow], search: Callable[[AbstractSet[str]], Iterable[LogLine]]
) -> tuple[AbstractSet[LogLine], list[LetterNow]]:
    """The lines and letters of all replies that one name leads to, whatever other names they have.

    A replay gives a reply a new message id, under its old token. The contact of a reply does not lead to the contact's
    other replies.

    Args:
        name: A client token, a contact id or a message id.
        letters: The dead-letter queue now.
        search: Finds the log's lines about replies of these names.
    """
    lines: set[LogLine] = set()
    ours: list[LetterNow] = []
    names, asked = {name}, set[str]()
    while new := names - asked:
        lines.update(search(new))
        asked |= new
        ours = [letter for letter in letters if letter.names & names]
        names |= {line.token or line.message_id for line in lines}
        names |= {each for letter in ours for each in (letter.id, letter.token, letter.first_id) if each}
    return lines, ours
