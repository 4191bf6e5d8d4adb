"""Which letters a command is about: filters, and a selection that notes what it takes and what it leaves."""

from __future__ import annotations

import itertools
import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from courier import output
from courier.dead_letters import DRAFT_SECONDS, DeadLetterReader, Letter, printable_identifier
from courier.interrupts import uninterrupted
from courier.output import Failure, progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from courier.aws import Account
    from courier.journal import Action

NOT_THERE = "is not on the dead-letter queue now under this id, or somebody else holds it; see courier trace"


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

    @property
    def none_there(self) -> str:
        """What to say if no letter is meant."""
        return "No letters." if self == Filters() else "No letters match."

    def match(self, letter: Letter, now: float) -> bool:
        """Whether the letter is meant; `now` in seconds since the epoch."""
        age = now - letter.sent_at
        return (
            (not self.ids or letter.id in self.ids)
            and (not self.reasons or letter.reason in self.reasons)
            and (self.older_than is None or age > self.older_than)
            and (self.newer_than is None or age < self.newer_than)
            and (not self.contacts or letter.contact_id in self.contacts)
        )


@dataclass
class Selection:
    """Takes letters one by one, and notes which it takes and which it leaves.

    Attributes:
        filters: What the operator asked for.
        now: Seconds since the epoch.
        limit: How many letters, at the most.
        to_send: Whether the letters are to be sent again. Then each token is taken once, since a reply that comes back
            while the command runs would go round for ever, and letters that are too old are left.
        force: Whether letters that are too old are taken all the same.
        ids: The letters taken, each once.
        failures: What was asked for but must not be done.
        duplicates: Letters left because their token was taken already.
        older_than_draft: Letters taken that are older than a draft lives.
        reasons: How many were taken for each reason.
        tokens: The client tokens of those that are to be sent again.
        skipped: The letters not taken although they match: a second look at them changes nothing.
    """

    filters: Filters
    now: float
    limit: int | None = None
    to_send: bool = False
    force: bool = False
    ids: set[str] = field(default_factory=set)
    failures: list[Failure] = field(default_factory=list)
    duplicates: int = 0
    older_than_draft: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    tokens: set[str] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)

    @property
    def capacity(self) -> float:
        """How many letters it can take."""
        return min(self.limit or math.inf, len(self.filters.ids) or math.inf)

    @property
    def is_full(self) -> bool:
        """Whether it has taken as many as it may, or has seen all whose ids were asked for."""
        asked = len(self.filters.ids) or math.inf
        return len(self.ids) >= (self.limit or math.inf) or len(self.ids) + len(self.skipped) >= asked

    def take(self, letter: Letter) -> bool:
        """Take the letter, if it was asked for and may be taken; return whether it was taken."""
        if self.is_full or not self.filters.match(letter, self.now):
            return False
        if letter.id in self.skipped or letter.id in self.ids:
            return False
        if self.to_send and not self._may_be_sent(letter):
            self.skipped.add(letter.id)
            return False
        self.ids.add(letter.id)
        self.reasons[printable_identifier(letter.reason) or "(unreadable)"] += 1
        return True

    def chosen(self, batches: Iterable[Iterable[Letter]]) -> Iterator[list[Letter]]:
        """What it takes of each batch of which it takes anything, until it has taken as many as it can."""
        for letters in batches:
            if taken := [letter for letter in letters if self.take(letter)]:
                yield taken
            if self.is_full:
                return

    def missing(self) -> list[Failure]:
        """The ids that were asked for and not seen."""
        return [Failure(each, NOT_THERE) for each in sorted(self.filters.ids - self.ids - self.skipped)]

    def _may_be_sent(self, letter: Letter) -> bool:
        age = self.now - letter.sent_at
        if letter.token_expired(self.now) and not self.force:
            why = "was first tried more than 7 days ago: Connect may have forgotten it, and send it twice; see --force"
            self.failures.append(Failure(letter.id, why))
            return False
        token = letter.token or letter.id
        if token in self.tokens:
            self.duplicates += 1
            return False
        self.tokens.add(token)
        self.older_than_draft += age > DRAFT_SECONDS
        return True


def choose(letters: Iterable[Letter], filters: Filters, now: float, limit: int | None = None) -> Iterator[Letter]:
    """The letters that are meant, `limit` at the most; when all are found that can be, no further one is asked for."""
    most = [count for count in (limit, len(filters.ids)) if count]
    return itertools.islice((letter for letter in letters if filters.match(letter, now)), min(most, default=None))


def select_letters(account: Account, selection: Selection) -> list[Failure]:
    """Note the ids of the letters that are meant in `selection.ids`; return what is missing, and what may be."""
    read_payloads = bool(selection.filters.contacts)
    with DeadLetterReader(
        account.sqs,
        account.queues.dead_letters,
        output.warn,
        payloads=account.payloads,
        read_payloads=read_payloads,
    ) as held:
        for _letters in selection.chosen(held.batches()):
            pass
    return [*selection.missing(), *held.not_seen()]


def process_selected(  # noqa: PLR0913 - the last by name
    account: Account,
    noted: Selection,
    done: str,
    act: Callable[[DeadLetterReader, Sequence[Letter]], list[Failure]],
    action: Action,
    *,
    read_payloads: bool = False,
) -> list[Failure]:
    """Act on the letters that were noted, up to ten at a time; return what is not done.

    Args:
        account: Where they are.
        noted: The selection of the first pass.
        done: What has happened to a letter afterwards, like "Renewed".
        act: Is not interrupted; returns those of the letters that it left.
        action: The journal's.
        read_payloads: Whether it needs the bodies that are in S3.
    """
    count = 0
    failures: list[Failure] = []
    selection = Selection(Filters(ids=frozenset(noted.ids)), time.time())
    with DeadLetterReader(
        account.sqs, account.queues.dead_letters, output.warn, payloads=account.payloads, read_payloads=read_payloads
    ) as held:
        try:
            with progress(done, len(noted.ids)) as advance:
                for letters in selection.chosen(held.batches()):
                    with uninterrupted():
                        action.record_letters(letters)
                        left = act(held, letters)
                    failures += left
                    count += len(letters) - len(left)
                    advance(len(letters))
        finally:
            action.outcome = {done.lower(): count, "not_done": len(failures)}
            output.say(f"{count} {done.lower()}.")
    return [*failures, *selection.missing()]
