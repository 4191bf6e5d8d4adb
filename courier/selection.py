"""Which letters a command means: filters, a selection, and the two passes of a command that asks first."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from courier import output
from courier.dead_letters import DRAFT_SECONDS, MAX_ENTRIES
from courier.interrupts import uninterrupted
from courier.output import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
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
        """Whether the letter matches, or may match: its body in S3 is unavailable. `now` in seconds since the epoch."""
        age = now - letter.sent_at
        return (
            (not self.ids or letter.id in self.ids)
            and (not self.reasons or letter.reason in self.reasons)
            and (self.older_than is None or age > self.older_than)
            and (self.newer_than is None or age < self.newer_than)
            and (not self.contacts or letter.payload_unavailable or letter.contact_id in self.contacts)
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
        traceable: Whether to refuse letters whose token the log does not name: a canary can't learn their outcome.
        ids: The letters it took.
        refused: Letters that were requested but refused, and why.
        duplicates: How many letters it skipped because it took another with the same token.
        older_than_draft: How many of the letters it took are older than a draft lives.
        reasons: How many letters it took for each reason.
        list_ended: Whether it has seen the whole queue.
    """

    filters: Filters
    now: float
    limit: int | None = None
    for_replay: bool = False
    force: bool = False
    traceable: bool = False
    ids: set[str] = field(default_factory=set)
    refused: list[Failure] = field(default_factory=list)
    duplicates: int = 0
    older_than_draft: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    list_ended: bool = False
    _tokens: set[str] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)
    _not_seen: list[Failure] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._missing_ids = set(self.filters.ids)

    @property
    def capacity(self) -> float:
        """The most letters that it can take: infinite without ids and a limit."""
        return min((count for count in (self.limit, len(self.filters.ids)) if count), default=math.inf)

    @property
    def is_full(self) -> bool:
        """Whether it took as many as it may, or has seen all ids that the operator named."""
        all_named_seen = bool(self.filters.ids) and not self._missing_ids
        return all_named_seen or (self.limit is not None and len(self.ids) >= self.limit)

    @property
    def is_finished(self) -> bool:
        """Whether it can take no further letter."""
        return self.is_full or self.list_ended

    @property
    def failures(self) -> list[Failure]:
        """What was requested and not taken. Missing letters count only once the whole queue was seen."""
        return [*self.refused, *self._not_seen]

    def letters(self, reader: DeadLetterReader) -> Iterator[Letter]:
        """Yield the letters it takes, until it is full."""
        for letters in self.select_from(reader):
            yield from letters

    def select_from(
        self, reader: DeadLetterReader, max_letters: int = MAX_ENTRIES, up_to: float = math.inf
    ) -> Iterator[list[Letter]]:
        """Yield the letters it takes of each batch, until it is full or has taken `up_to` letters in all."""
        for letters in reader.batches(max_letters):
            taken = []
            for letter in letters:
                if len(self.ids) >= up_to:
                    break
                if self.take(letter):
                    taken.append(letter)
            if taken:
                yield taken
            if self.is_full or len(self.ids) >= up_to:
                return
        self.list_ended = True
        # Without ids, a letter that someone else holds may have been meant. An id that was not seen is missing.
        missing = [Failure(each, NOT_THERE) for each in sorted(self._missing_ids)]
        self._not_seen = missing if self.filters.ids else reader.unseen_failures()

    def take(self, letter: Letter) -> bool:
        """Take the letter if it matches and is not refused; return whether it was taken."""
        if self.is_full or letter.id in self._seen:
            return False
        self._seen.add(letter.id)
        self._missing_ids.discard(letter.id)
        if not self.filters.match(letter, self.now):
            return False
        if self.filters.need_payloads and letter.payload_failure:
            self.refused.append(letter.payload_failure)
            return False
        if self.for_replay:
            if why := self._refusal(letter):
                self.refused.append(Failure(letter.id, why))
                return False
            token = letter.token or letter.id
            if token in self._tokens:
                self.duplicates += 1
                return False
            self._tokens.add(token)
            self.older_than_draft += self.now - letter.sent_at > DRAFT_SECONDS
        self.ids.add(letter.id)
        self.reasons[letter.printable_reason] += 1
        return True

    def second_pass(self) -> Selection:
        """A selection of the letters that this one took, after the operator confirmed them."""
        ids = Filters(ids=frozenset(self.ids))
        return Selection(ids, time.time(), for_replay=self.for_replay, force=self.force, traceable=self.traceable)

    def _refusal(self, letter: Letter) -> str | None:
        """Why the letter must not be replayed; None if it may."""
        if letter.token_expired(self.now) and not self.force:
            return "was first tried more than 7 days ago: Connect may have forgotten it and send it twice; see --force"
        if self.traceable and not letter.printable_token:
            return "its client token is never logged, so --canary can't check it; replay it without --canary"
        return None


def select_letters(account: Account, selection: Selection) -> None:
    """The first pass: fill the selection, and release the letters."""
    with account.dead_letters(read_payloads=selection.filters.need_payloads) as reader:
        for _letter in selection.letters(reader):
            pass


def process_selected(  # noqa: PLR0913 - the last by name
    account: Account,
    selection: Selection,
    done: str,
    process: Callable[[DeadLetterReader, Sequence[Letter]], list[Failure]],
    action: Action,
    *,
    read_payloads: bool = False,
) -> list[Failure]:
    """The second pass: process the letters that the operator confirmed, up to ten at a time, and report the result.

    Letters that arrived after the first pass, or that the command itself put on the queue, are not processed.

    Args:
        account: Where.
        selection: The letters, from the first pass.
        done: What the report calls a letter that was processed, such as "Renewed".
        process: Processes letters without interruption; returns those that failed.
        action: The journal's.
        read_payloads: Whether `process` needs the bodies that are in S3.

    Returns:
        What was not processed.
    """
    count = 0
    failures: list[Failure] = []
    confirmed = selection.second_pass()
    try:
        with (
            account.dead_letters(read_payloads=read_payloads) as reader,
            output.progress(done, len(selection.ids)) as advance,
        ):
            for letters in confirmed.select_from(reader):
                with uninterrupted():  # an interruption must not come between the work and its record
                    action.record_letters(letters)
                    failed = process(reader, letters)
                    failures += failed
                    count += len(letters) - len(failed)
                advance(len(letters))
    finally:
        failures += confirmed.failures
        action.outcome = {done.lower(): count, "not_done": len(failures)}
        output.say(f"{count} {done.lower()}.")
        output.show_failures(failures)
    return failures
