"""Which letters a change is made to: what the filters mean, less what must not be done, and each token once."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from courier.filters import short
from courier.options import NOT_THERE
from courier.replay import DRAFT_SECONDS, too_old
from courier.sending import Left

if TYPE_CHECKING:
    from courier.filters import Filters
    from courier.letters import Letter


@dataclass
class Choice:
    """Chooses letters one by one, and remembers what it has chosen.

    Attributes:
        filters: What the operator means.
        now: Seconds since the epoch.
        limit: How many letters, at the most.
        replays: Whether the letters are to be sent again: then each token is taken once, since a reply that comes
            back while the command runs would go round for ever, and old ones are left.
        force: Whether old ones are taken all the same.
        ids: What was chosen.
        left: What is meant but must not be done.
        copies: Letters whose token was chosen already.
        late: Chosen letters older than a draft lives.
    """

    filters: Filters
    now: float
    limit: int | None
    replays: bool
    force: bool = False
    ids: set[str] = field(default_factory=set)
    left: list[Left] = field(default_factory=list)
    copies: int = 0
    late: int = 0
    _tokens: set[str] = field(default_factory=set)

    @property
    def most(self) -> float:
        """How many letters it can choose."""
        return min(self.limit or math.inf, len(self.filters.ids) or math.inf)

    @property
    def full(self) -> bool:
        """Whether it has chosen as many as it can."""
        return len(self.ids) + (len(self.left) if self.filters.ids else 0) >= self.most

    def __call__(self, letter: Letter) -> bool:
        """Whether the change is made to this letter."""
        if self.full or not self.filters.match(letter, self.now):
            return False
        if self.replays and not self._may_be_sent(letter):
            return False
        self.ids.add(letter.id)
        return True

    def missing(self) -> list[Left]:
        """The ids that were asked for and not seen."""
        seen = self.ids | {each.name for each in self.left}
        return [Left(each, NOT_THERE) for each in sorted(self.filters.ids - seen)]

    def _may_be_sent(self, letter: Letter) -> bool:
        age = self.now - letter.waiting_since
        if too_old(letter, self.now) and not self.force:
            why = f"is {short(age)} old: Connect may have forgotten its token (7 days), and send it twice; see --force"
            self.left.append(Left(letter.id, why))
            return False
        token = letter.token or letter.id
        if token in self._tokens:
            self.copies += 1
            return False
        self._tokens.add(token)
        self.late += age > DRAFT_SECONDS
        return True
