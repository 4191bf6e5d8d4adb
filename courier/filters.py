"""Which letters a command is about."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from courier.letters import Letter

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_AGE = re.compile(r"(\d{1,6})([smhd])")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a letter has to meet; what is left out lets every letter through.

    Attributes:
        ids: Message ids.
        reasons: Reasons, among them MOVED_BY_SQS.
        contacts: Contact ids.
        older_than: Age in seconds.
        newer_than: Age in seconds.
    """

    ids: AbstractSet[str] = frozenset()
    reasons: AbstractSet[str] = frozenset()
    contacts: AbstractSet[str] = frozenset()
    older_than: float | None = None
    newer_than: float | None = None

    def match(self, letter: Letter, now: float) -> bool:
        """Whether the letter is meant; `now` in seconds since the epoch."""
        age = now - letter.waiting_since
        return (
            (not self.ids or letter.id in self.ids)
            and (not self.reasons or letter.reason in self.reasons)
            and (self.older_than is None or age > self.older_than)
            and (self.newer_than is None or age < self.newer_than)
            and (not self.contacts or letter.contact_id in self.contacts)
        )


def select(letters: Iterable[Letter], filters: Filters, now: float, limit: int | None = None) -> Iterator[Letter]:
    """The letters that are meant, `limit` at the most; when all are found that can be, no further one is asked for."""
    most = [count for count in (limit, len(filters.ids)) if count]
    return itertools.islice((letter for letter in letters if filters.match(letter, now)), min(most, default=None))


def seconds(age: str) -> float:
    """Read an age, such as 90s, 15m, 12h or 7d.

    Raises:
        ValueError: It is none; the text says what is right.
    """
    if (parts := _AGE.fullmatch(age)) is None:
        text = f"{age!r} is no age: write a number and s, m, h or d, such as 90s, 15m, 12h or 7d"
        raise ValueError(text)
    return int(parts[1]) * _UNITS[parts[2]]


def short(age: float) -> str:
    """An age in seconds for people: 42s, 15m, 12h, 8d."""
    unit = next((unit for unit in "dhm" if age >= _UNITS[unit]), "s")
    return f"{max(0, int(age // _UNITS[unit]))}{unit}"
