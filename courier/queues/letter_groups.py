"""Dead letters by what went wrong: by reason, and by the words of Detail that may be printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contract.client_token import iso
from contract.dead_letter import DETAIL
from courier.queues.advice import advice
from courier.queues.letter import MOVED_BY_SQS, printable_identifier
from courier.queues.masking import masked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from courier.queues.letter import Letter


@dataclass
class Group:
    """Letters that have the same reason and the same masked Detail.

    Attributes:
        reason: Theirs; None if it is not an identifier.
        words: Of Detail, what may be printed.
        count: How many letters.
        oldest_at, newest_at: SentTimestamps, in seconds since the epoch.
        letter_id: The newest one's.
    """

    reason: str | None
    words: str
    count: int
    oldest_at: float
    newest_at: float
    letter_id: str

    @property
    def advice(self) -> str:
        """What to do about one of them."""
        return advice(self.reason, self.letter_id)

    def add(self, letter: Letter) -> None:
        """Count a letter in."""
        self.count += 1
        self.oldest_at = min(self.oldest_at, letter.sent_at)
        if letter.sent_at >= self.newest_at:
            self.newest_at, self.letter_id = letter.sent_at, letter.id

    def to_json(self) -> dict[str, Any]:
        """As `dlq groups --json` writes it."""
        return {
            "reason": self.reason,
            "words": self.words,
            "count": self.count,
            "oldest_at": iso(self.oldest_at),
            "newest_at": iso(self.newest_at),
            "id": self.letter_id,
            "advice": self.advice,
        }


def groups(letters: Iterable[Letter]) -> list[Group]:
    """The groups, the largest first."""
    found: dict[tuple[str | None, str], Group] = {}
    for letter in letters:
        reason = printable_identifier(letter.reason)
        # A letter that SQS moved has no Detail of the function's: what stands there, the producer wrote.
        words = "" if letter.reason == MOVED_BY_SQS else masked(letter.text(DETAIL))
        group = found.setdefault((reason, words), Group(reason, words, 0, letter.sent_at, letter.sent_at, letter.id))
        group.add(letter)
    return sorted(found.values(), key=lambda group: (-group.count, group.reason or "", group.words))
