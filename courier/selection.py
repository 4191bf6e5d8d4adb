"""Which letters a command means: filters, a selection, and the two passes of a command that asks first."""

from __future__ import annotations

import itertools
import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from courier import output
from courier.dead_letters import DRAFT_SECONDS
from courier.interrupts import uninterrupted
from courier.output import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from courier.aws import Account
    from courier.dead_letters import DeadLetterReader, Letter
    from courier.journal import Action

NOT_THERE = "is not on the dead-letter queue now under this id, or someone else holds it; see courier trace"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a letter has to match. An omitted filter matches every letter.

    Attributes:
        ids: Message ids.
        reasons: Reasons, including MOVED_BY_SQS.
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
    def need_payloads(self) -> bool:
        """Whether a letter matches only if its body, in S3 perhaps, is known."""
        return bool(self.contacts)

    @property
    def no_match(self) -> str:
        """What to say if no letter matches."""
        return "No letters." if self == Filters() else "No letters match."

    def match(self, letter: Letter, now: float) -> bool:
        """Whether the letter matches; `now` in seconds since the epoch."""
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
    """Selects letters one by one, and keeps track of them.

    Attributes:
        filters: What the operator asked for.
        now: Seconds since the epoch.
        limit: The maximum number of letters.
        for_replay: Whether the letters are sent again. Then it takes each token once, because a reply that returns
            during the command would go round for ever, and skips letters whose tokens expired.
        force: Whether to take letters whose tokens expired, too.
        ids: The letters it took.
        failures: What the operator asked for and must not be done.
        duplicates: How many letters it skipped because it took another with the same token.
        older_than_draft: How many of the letters it took are older than a draft lives.
        reasons: How many letters it took for each reason.
    """

    filters: Filters
    now: float
    limit: int | None = None
    for_replay: bool = False
    force: bool = False
    ids: set[str] = field(default_factory=set)
    failures: list[Failure] = field(default_factory=list)
    duplicates: int = 0
    older_than_draft: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    _tokens: set[str] = field(default_factory=set)
    _skipped: set[str] = field(default_factory=set)

    @property
    def capacity(self) -> float:
        """The most letters that it can take."""
        return min(self.limit or math.inf, len(self.filters.ids) or math.inf)

    @property
    def is_full(self) -> bool:
        """Whether it took as many as it may, or has seen all ids that the operator named."""
        named = len(self.filters.ids) or math.inf
        return len(self.ids) >= (self.limit or math.inf) or len(self.ids) + len(self._skipped) >= named

    def select_from(self, batches: Iterable[Iterable[Letter]], up_to: float = math.inf) -> Iterator[list[Letter]]:
        """Yield the letters it takes of each batch, until it is full or has taken `up_to` letters in all."""
        for letters in batches:
            if taken := [letter for letter in letters if len(self.ids) < up_to and self.take(letter)]:
                yield taken
            if self.is_full or len(self.ids) >= up_to:
                return

    def take(self, letter: Letter) -> bool:
        """Take the letter if it matches and may be taken; return whether it was taken."""
        if self.is_full or letter.id in self.ids or letter.id in self._skipped:
            return False
        if not self.filters.match(letter, self.now):
            return False
        if self.for_replay and not self._may_be_sent(letter):
            self._skipped.add(letter.id)
            return False
        self.ids.add(letter.id)
        self.reasons[letter.printable_reason] += 1
        return True

    def missing(self) -> list[Failure]:
        """The ids that the operator named and that were not seen."""
        return [Failure(each, NOT_THERE) for each in sorted(self.filters.ids - self.ids - self._skipped)]

    def _may_be_sent(self, letter: Letter) -> bool:
        if letter.token_expired(self.now) and not self.force:
            why = "was first tried more than 7 days ago: Connect may have forgotten it and send it twice; see --force"
            self.failures.append(Failure(letter.id, why))
            return False
        token = letter.token or letter.id
        if token in self._tokens:
            self.duplicates += 1
            return False
        self._tokens.add(token)
        self.older_than_draft += self.now - letter.sent_at > DRAFT_SECONDS
        return True


def choose(letters: Iterable[Letter], filters: Filters, now: float, limit: int | None = None) -> Iterator[Letter]:
    """The letters that match, at most `limit`. It stops reading as soon as no further letter can match."""
    maximum = min((count for count in (limit, len(filters.ids)) if count), default=None)
    return itertools.islice((letter for letter in letters if filters.match(letter, now)), maximum)


def select_letters(account: Account, selection: Selection) -> list[Failure]:
    """The first pass: fill the selection, and release the letters; return what was not seen."""
    with account.dead_letters(read_payloads=selection.filters.need_payloads) as reader:
        for _letters in selection.select_from(reader.batches()):
            pass
    return [*selection.missing(), *reader.unseen_failures()]


def process_selected(  # noqa: PLR0913 - the last by name
    account: Account,
    ids: AbstractSet[str],
    done: str,
    process: Callable[[DeadLetterReader, Sequence[Letter]], list[Failure]],
    action: Action,
    *,
    read_payloads: bool = False,
) -> list[Failure]:
    """The second pass: process the letters that the operator confirmed, up to ten at a time.

    Letters that arrived after the first pass, or that the command itself put on the queue, are not processed.

    Args:
        account: Where.
        ids: The letters.
        done: What the report calls a letter that was processed, such as "Renewed".
        process: Processes letters without interruption; returns those that failed.
        action: The journal's.
        read_payloads: Whether `process` needs the bodies that are in S3.

    Returns:
        What was not processed.
    """
    count = 0
    failures: list[Failure] = []
    selection = Selection(Filters(ids=ids), time.time())
    with account.dead_letters(read_payloads=read_payloads) as reader:
        try:
            with output.progress(done, len(ids)) as advance:
                for letters in selection.select_from(reader.batches()):
                    with uninterrupted():
                        action.record_letters(letters)
                        failed = process(reader, letters)
                    failures += failed
                    count += len(letters) - len(failed)
                    advance(len(letters))
        finally:
            action.outcome = {done.lower(): count, "not_done": len(failures)}
            output.say(f"{count} {done.lower()}.")
    return [*failures, *selection.missing()]
