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
from courier.outcomes import Outcomes, OutcomeWatch, suggest_next
from courier.sending import message_for_reply_queue, move

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
        canary: How many letters are replayed first; None replays all at once.
        wait: Whether to wait at the end until each reply is sent or comes back.
        timeout: The longest wait in seconds; None is the default.
        journal_required: Whether to refuse the replay if the journal can't be written.
    """

    rate: float | None = None
    canary: int | None = None
    wait: bool = False
    timeout: float | None = None
    journal_required: bool = False


@dataclass
class ReplayRun:
    """One replay and its result.

    Attributes:
        account: The account to work on.
        selection: Decides which letters are replayed.
        options: How they are replayed.
        preview: The selection that the operator confirmed; None if there was no question.
        record_letters: Gets each batch before it is sent, for the journal.
        clock: Seconds, never going back.
        sleep: Waits a number of seconds.
        now: Seconds since the epoch.
        outcomes: The letters that were replayed, and what the function's log says of each.
        since: When the replay began, in seconds since the epoch.
        is_stopped: Whether the canary stopped the replay.
    """

    account: Account
    selection: Selection
    options: ReplayOptions = ReplayOptions()
    preview: Selection | None = None
    record_letters: Callable[[Sequence[Letter]], object] = lambda _letters: None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    outcomes: Outcomes = field(default_factory=Outcomes)
    is_stopped: bool = False
    _move_failures: list[Failure] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.since = self.now()
        self._watch = OutcomeWatch(self.account, self.now, self.clock, self.sleep)
        self._reader = self.account.dead_letters(
            rate=self.options.rate, read_payloads=self.selection.filters.need_payloads
        )

    @property
    def failures(self) -> list[Failure]:
        """The letters that were requested and not replayed, or not deleted afterwards; without the preview's."""
        return [*self._move_failures, *self.selection.failures]

    @property
    def all_failures(self) -> list[Failure]:
        """The same, with the preview's."""
        return [*(self.preview.failures if self.preview else ()), *self.failures]

    @property
    def is_done(self) -> bool:
        """Whether everything succeeded; with `wait`, whether every reply was sent."""
        return not (self.all_failures or self.is_stopped) and (self.outcomes.all_sent or not self.options.wait)

    def replay_canary(self) -> None:
        """Replay the canary and wait for its outcomes. Stop if a letter was not replayed, or its reply not sent."""
        if self.options.canary is None:
            return
        self.is_stopped = True  # until all are sent
        self._replay_up_to(self.options.canary)
        count = len(self.selection.ids)
        not_replayed = count - self.outcomes.replayed
        try:
            self._watch.wait(self.outcomes, self.since, self.options.timeout)
            self.is_stopped = not_replayed > 0 or not self.outcomes.all_sent
        finally:
            others = "" if self.selection.is_finished else f" The others {'stay' if self.is_stopped else 'follow'}."
            if self.is_stopped or others:
                result = f"{self.outcomes}, {not_replayed} not replayed" if not_replayed else f"{self.outcomes}"
                output.warn(f"Of the first {count}: {result}.{others}")

    def replay_remaining(self) -> None:
        """Replay what is left, unless the canary stopped the replay."""
        if not (self.is_stopped or self.selection.is_finished):
            self._replay_up_to(math.inf)

    def learn_outcomes(self) -> None:
        """Ask the log for the outcomes, once or until all are known. After a canary that failed, they are known."""
        if self.options.wait and not self.is_stopped:
            self._watch.wait(self.outcomes, self.since, self.options.timeout)
        elif not self.is_stopped:
            self._watch.read(self.outcomes, self.since)

    def counts(self) -> dict[str, Any]:
        """The result, for the journal."""
        return {
            "replayed": self.outcomes.replayed,
            "not_done": len(self.all_failures),
            "sent": len(self.outcomes.sent),
            "came_back": Counter(self.outcomes.came_back.values()),
            "not_known": len(self.outcomes.pending) + len(self.outcomes.untraceable),
        }

    def to_json(self) -> dict[str, Any]:
        """As `replay --json` writes it."""
        return {
            "replayed": self.outcomes.replayed,
            **self.outcomes.to_json(),
            "not_done": [{"name": each.name, "why": each.why} for each in self.all_failures],
            "copies": (self.preview or self.selection).duplicates,
            "stopped": self.is_stopped,
        }

    def _replay_up_to(self, up_to: float) -> None:
        """Replay letters batch by batch, until the selection has taken `up_to` in all."""
        rate = self.options.rate
        next_turn = self.clock()
        # At a slow rate, use small batches so that letters leave evenly.
        batch_size = MAX_ENTRIES if rate is None else max(1, min(MAX_ENTRIES, int(rate)))
        with self._reader as reader:
            total = min(reader.depth, min(up_to, self.selection.capacity) - len(self.selection.ids))
            with output.progress("Replayed", int(total)) as advance:
                for letters in self.selection.select_from(reader, batch_size, up_to):
                    if rate is not None:
                        self.sleep(max(0.0, next_turn - self.clock()))
                        next_turn = max(next_turn, self.clock()) + len(letters) / rate
                    with uninterrupted():  # an interruption must not come between the move and its record
                        self._move(reader, letters)
                    advance(len(letters))

    def _move(self, reader: DeadLetterReader, letters: Sequence[Letter]) -> None:
        self.record_letters(letters)
        messages = [message_for_reply_queue(each, self.now(), force=self.selection.force) for each in letters]
        replies = self.account.queues.replies
        self._move_failures += move(self.account, reader, replies, letters, messages, on_sent=self.outcomes.add)


def run_replay(  # noqa: PLR0913 - the last by name
    account: Account,
    selection: Selection,
    options: ReplayOptions,
    requested: Mapping[str, Any],
    *,
    preview: Selection | None,
    as_json: bool,
) -> bool:
    """Replay a selection, record it in the journal, and report the result, also if it is interrupted.

    Args:
        account: The account to work on.
        selection: Decides which letters are replayed.
        options: How they are replayed.
        requested: What the operator asked for, for the journal.
        preview: The selection that the operator confirmed; None if there was no question.
        as_json: Whether to print the result as JSON.

    Returns:
        Whether everything succeeded.

    Raises:
        courier.journal.JournalError: The journal is required and can't be written. Nothing was done.
        botocore.exceptions.ClientError, BotoCoreError: A call failed. It is safe to run the replay again: copies have
            the same token.
    """
    requested = {**requested, "rate": options.rate, "canary": options.canary, "force": selection.force}
    with journal(account, "dlq replay", required=options.journal_required, **requested) as action:
        run = ReplayRun(account, selection, options, preview, action.record_letters)
        try:
            try:
                run.replay_canary()
                run.replay_remaining()
            finally:
                if not as_json:
                    output.say(f"{run.outcomes.replayed} replayed.")
                show_not_replayed(run.failures, selection.duplicates)
            run.learn_outcomes()
        finally:
            action.outcome = run.counts()
            if as_json:
                output.data(output.json_line(run.to_json()))
            elif run.outcomes.replayed:
                if not run.is_stopped:  # otherwise it is known from the canary
                    output.say(f"{run.outcomes}.")
                suggest_next(run.outcomes, run.since)
    return run.is_done


def show_not_replayed(failures: Sequence[Failure], duplicates: int) -> None:
    """Report what was not replayed. Duplicates of a replayed letter count as done."""
    output.show_failures(failures)
    if duplicates:
        noun = "duplicate" if duplicates == 1 else "duplicates"
        output.warn(f"Skipped {duplicates:,} {noun} (same client token).")
