"""A replay: letters go back to the queue of replies, all at once or after a canary."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from courier import output
from courier.dead_letters import MAX_ENTRIES
from courier.interrupts import uninterrupted
from courier.journal import journal
from courier.outcomes import Outcomes, suggest_next, wait_for_outcomes
from courier.sending import message_for_replies, move

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from courier.aws import Account
    from courier.dead_letters import DeadLetterReader, Letter
    from courier.output import Failure
    from courier.selection import Selection


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How letters are replayed.

    Attributes:
        rate: Maximum letters per second; None is as fast as SQS allows.
        canary: How many letters go first; None is all at once.
        wait: Whether to wait at the end until each reply is sent or comes back.
        timeout: The longest wait in seconds; None is the default.
        no_journal: Whether `--force` goes on if the journal can't be written.
    """

    rate: float | None = None
    canary: int | None = None
    wait: bool = False
    timeout: float | None = None
    no_journal: bool = False


@dataclass
class ReplayRun:
    """One replay and its result.

    Attributes:
        account: Where.
        selection: Takes the letters.
        options: How.
        record_letters: Gets each batch before it is sent, for the journal.
        clock: Seconds, never going back.
        sleep: Waits a number of seconds.
        now: Seconds since the epoch.
        outcomes: The letters that were put back, and what the function's log says of each.
        is_stopped: Whether the canary stopped the replay.
    """

    account: Account
    selection: Selection
    options: ReplayOptions = ReplayOptions()
    record_letters: Callable[[Sequence[Letter]], object] = lambda _letters: None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    outcomes: Outcomes = field(default_factory=Outcomes)
    is_stopped: bool = False
    _move_failures: list[Failure] = field(default_factory=list)
    _unseen: list[Failure] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.since = self.now()

    @property
    def failures(self) -> list[Failure]:
        """The letters that were meant and not put back, or not deleted afterwards."""
        # An id that was not seen is reported as missing. Without ids, an unseen letter may have been meant.
        unseen = [] if self.selection.filters.ids else self._unseen
        missing = [] if self.is_stopped else self.selection.missing()
        return [*self._move_failures, *self.selection.failures, *missing, *unseen]

    @property
    def is_done(self) -> bool:
        """Whether everything succeeded; with `wait`, whether every reply was sent."""
        return not (self.failures or self.is_stopped) and (self.outcomes.all_sent or not self.options.wait)

    def replay_canary(self) -> None:
        """Replay the canary and wait for its outcomes. Stop if a reply was not put back, or not sent."""
        if self.options.canary is None:
            return
        self._replay_up_to(self.options.canary)
        wait_for_outcomes(self.account, self.outcomes, self.since, wait=True, timeout=self.options.timeout)
        count = len(self.selection.ids)
        kept = count - len(self.outcomes.replayed)
        self.is_stopped = kept > 0 or not self.outcomes.all_sent
        if count >= self.options.canary or self.is_stopped:
            result = f"{self.outcomes}, {kept} not put back" if kept else f"{self.outcomes}"
            then = "The others stay" if self.is_stopped else "The others follow"
            output.warn(f"Of the first {count}: {result}. {then}.")

    def replay_remaining(self) -> None:
        """Replay what is left, unless the canary stopped the replay."""
        if not self.is_stopped:
            self._replay_up_to(math.inf)

    def replay_letters(
        self, reader: DeadLetterReader, up_to: float = math.inf, advance: Callable[[int], None] = lambda _count: None
    ) -> None:
        """Replay letters batch by batch, until the selection has taken `up_to` in all.

        Raises:
            botocore.exceptions.ClientError, BotoCoreError: A call failed. It is safe to run the replay again: copies
                have the same token.
        """
        rate = self.options.rate
        next_turn = self.clock()
        # A second's worth at once makes a slow pace an even one.
        batch_size = MAX_ENTRIES if rate is None else max(1, min(MAX_ENTRIES, int(rate)))
        for letters in self.selection.select_from(reader.batches(batch_size), up_to):
            if rate is not None:
                self.sleep(max(0.0, next_turn - self.clock()))
                next_turn = max(next_turn, self.clock()) + len(letters) / rate
            with uninterrupted():
                self.record_letters(letters)
                messages = [message_for_replies(each, self.now(), force=self.selection.force) for each in letters]
                failures = move(reader, self.account.queues.replies, letters, messages)
            self._move_failures += failures
            failed = {each.name for each in failures}
            # A letter without a usable token comes back, and the log does not name it.
            moved = [letter for letter in letters if letter.id not in failed]
            self.outcomes.replayed |= {each.token or f"({each.id})": each.sent_at for each in moved}
            advance(len(letters))

    def counts(self) -> dict[str, Any]:
        """The result, for the journal."""
        return {
            "replayed": len(self.outcomes.replayed),
            "not_done": len(self.failures),
            "sent": len(self.outcomes.sent),
            "came_back": Counter(self.outcomes.came_back.values()),
            "not_known": len(self.outcomes.not_known),
        }

    def to_json(self) -> dict[str, Any]:
        """As `replay --json` writes it."""
        return {
            "replayed": len(self.outcomes.replayed),
            **self.outcomes.to_json(),
            "not_done": [{"name": each.name, "why": each.why} for each in self.failures],
            "copies": self.selection.duplicates,
            "stopped": self.is_stopped,
        }

    def _replay_up_to(self, up_to: float) -> None:
        read_payloads = self.selection.filters.need_payloads
        with self.account.dead_letters(rate=self.options.rate, read_payloads=read_payloads) as reader:
            total = min(up_to, self.selection.capacity) - len(self.selection.ids)
            with output.progress("Replayed", int(min(total, reader.depth))) as advance:
                self.replay_letters(reader, up_to, advance)
            self._unseen = reader.unseen_failures()


def run_replay(
    account: Account, selection: Selection, options: ReplayOptions, requested: Mapping[str, Any], *, quiet: bool = False
) -> ReplayRun:
    """Replay a selection, record it in the journal, and report the outcomes.

    Args:
        account: Where.
        selection: Takes the letters.
        options: How.
        requested: What the operator asked for, for the journal.
        quiet: Whether the caller reports the result.

    Raises:
        courier.journal.JournalError: `--force` needs the journal. Nothing was done.
        botocore.exceptions.ClientError, BotoCoreError: A call failed. It is safe to run the replay again.
    """
    requested = {**requested, "rate": options.rate, "canary": options.canary, "force": selection.force}
    required = selection.force and not options.no_journal
    with journal(account, "dlq replay", required=required, **requested) as action:
        run = ReplayRun(account, selection, options, action.record_letters)
        try:
            run.replay_canary()
            run.replay_remaining()
        finally:
            action.outcome = run.counts()
            if not quiet:
                output.say(f"{len(run.outcomes.replayed)} replayed.")
        if run.outcomes.not_known and not run.is_stopped:
            wait_for_outcomes(account, run.outcomes, run.since, wait=options.wait, timeout=options.timeout)
        action.outcome = run.counts()
    if not quiet and run.outcomes.replayed:
        output.say(f"{run.outcomes}.")
        suggest_next(run.outcomes, run.since)
    return run
