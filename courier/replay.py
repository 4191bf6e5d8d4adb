"""Puts letters back on the queue of replies: sent before deleted, under the token that each has always had."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from courier import output
from courier.dead_letters import MAX_ENTRIES, DeadLetterReader
from courier.interrupts import uninterrupted
from courier.journal import journal
from courier.outcomes import Outcomes, suggest_next, summarize, wait_for_outcomes
from courier.output import Failure, progress
from courier.sending import message_for_replies, move

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from courier.aws import Account
    from courier.dead_letters import Letter
    from courier.selection import Selection


@dataclass
class Replay:
    """Replays the letters of a selection, batch by batch.

    Attributes:
        replies_url: The queue of replies.
        rate: Letters a second, at the most; None is as many as SQS takes.
        clock: Seconds, never going back.
        sleep: Waits a number of seconds.
        now: Seconds since the epoch.
        force: Whether to send letters whose tokens are too old.
        record_letters: Is given each batch's letters before they are sent.
        replayed: For the client token of each letter that was replayed when the letter had come to the dead-letter
            queue, in seconds since the epoch.
        failures: What was not replayed, or not deleted afterwards.
    """

    replies_url: str
    rate: float | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    force: bool = False
    record_letters: Callable[[Sequence[Letter]], object] = lambda _letters: None
    replayed: dict[str, float] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def run(self, reader: DeadLetterReader, selection: Selection, advance: Callable[[int], None]) -> None:
        """Replay until the queue's end or the selection's limit; `advance` gets each batch's number of letters.

        Cut off at any point, every letter is on at least one of the two queues, under one token: Connect sends it once.

        Raises:
            botocore.exceptions.ClientError, BotoCoreError: A call failed. What was sent has been sent: running it
                again sends a copy with the same token.
        """
        next_turn = self.clock()
        # A second's worth at once, so that a slow pace is an even one.
        most = MAX_ENTRIES if self.rate is None else max(1, min(MAX_ENTRIES, int(self.rate)))
        for letters in selection.chosen(reader.batches(most)):
            if self.rate is not None:
                self.sleep(max(0.0, next_turn - self.clock()))
                next_turn = max(next_turn, self.clock()) + len(letters) / self.rate
            with uninterrupted():
                self.record_letters(letters)
                offers = [message_for_replies(letter, self.now(), force=self.force) for letter in letters]
                failures = move(reader, self.replies_url, letters, offers)
            self.failures += failures
            names = {each.name for each in failures}
            # Without a usable token it comes back, and no line tells of it: it is known as what the log withholds.
            done = [letter for letter in letters if letter.id not in names]
            self.replayed |= {each.token or f"({each.id})": each.sent_at for each in done}
            advance(len(letters))


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How letters are put back.

    Attributes:
        rate: Letters a second, at the most; None is as many as SQS takes.
        canary: How many go first; None is all at once.
        wait: Whether to wait at the end until each is sent or back.
        timeout: Seconds for each wait; None is the usual.
    """

    rate: float | None = None
    canary: int | None = None
    wait: bool = False
    timeout: float | None = None


@dataclass
class ReplayRun:
    """A replay and what came of it.

    Attributes:
        account: Where.
        selection: Takes the letters.
        options: How.
        work: Moves them.
        outcomes: What became of those that were put back, as far as the function's log tells.
        since: When it began, in seconds since the epoch.
        not_seen: What to tell of letters that somebody else holds.
        is_stopped: Whether those that went first have kept the others from following.
    """

    account: Account
    selection: Selection
    options: ReplayOptions
    work: Replay
    outcomes: Outcomes
    since: float
    not_seen: list[Failure] = field(default_factory=list)
    is_stopped: bool = False

    @property
    def failures(self) -> list[Failure]:
        """What was asked for and not put back, or not deleted afterwards."""
        # An id that was asked for and not seen is missing; without ids, what is not seen may have been meant.
        not_seen = [] if self.selection.filters.ids else self.not_seen
        missing = [] if self.is_stopped else self.selection.missing()
        return [*self.work.failures, *self.selection.failures, *missing, *not_seen]

    @property
    def is_done(self) -> bool:
        """Whether all was done that was asked for: with `--wait`, whether all are sent."""
        return not (self.failures or self.is_stopped) and (self.outcomes.all_sent or not self.options.wait)

    def replay_canary(self) -> None:
        """Replay the first few, and wait until each is sent or back; stop if one is not put back, or not sent."""
        if self.options.canary is None:
            return
        asked_for = self.selection.limit
        self.selection.limit = min(self.options.canary, asked_for or self.options.canary)
        self.replay_remaining()
        self.selection.limit = asked_for
        wait_for_outcomes(self.account, self.outcomes, self.since, wait=True, timeout=self.options.timeout)
        kept = len(self.selection.ids) - len(self.work.replayed)
        self.is_stopped = kept > 0 or not self.outcomes.all_sent
        if len(self.selection.ids) >= self.options.canary or self.is_stopped:
            words = summarize(self.outcomes) + (f", {kept} not put back" if kept else "")
            then = "The others stay" if self.is_stopped else "The others follow"
            output.warn(f"Of the first {len(self.selection.ids)}: {words}. {then}.")

    def replay_remaining(self) -> None:
        """Replay until the selection has taken as many letters as it may."""
        with DeadLetterReader(
            self.account.sqs,
            self.account.queues.dead_letters,
            output.warn,
            self.options.rate,
            payloads=self.account.payloads,
            read_payloads=bool(self.selection.filters.contacts),
        ) as held:
            left = self.selection.capacity - len(self.selection.ids)
            with progress("Replayed", int(min(left, held.depth))) as advance:
                self.work.run(held, self.selection, advance)
            self.not_seen = held.not_seen()

    def counts(self) -> dict[str, Any]:
        """For the journal."""
        return {
            "replayed": len(self.work.replayed),
            "not_done": len(self.failures),
            "sent": len(self.outcomes.sent),
            "came_back": Counter(self.outcomes.came_back.values()),
            "not_known": len(self.outcomes.not_known),
        }

    def to_json(self) -> dict[str, Any]:
        """As `replay --json` writes it."""
        return {
            "replayed": len(self.work.replayed),
            **self.outcomes.to_json(),
            "not_done": [{"name": each.name, "why": each.why} for each in self.failures],
            "copies": self.selection.duplicates,
            "stopped": self.is_stopped,
        }


def run_replay(
    account: Account, selection: Selection, options: ReplayOptions, asked: Mapping[str, Any], *, quiet: bool = False
) -> ReplayRun:
    """Replay a selection, and say what became of it.

    Args:
        account: Where.
        selection: Takes the letters.
        options: How.
        asked: What the operator asked for, for the journal.
        quiet: Whether the answer is left to the caller.

    Raises:
        OSError: The journal cannot be written; nothing is done.
        botocore.exceptions.ClientError, BotoCoreError: A call failed. What was sent has been sent: running it again
            sends a copy with the same token.
    """
    asked = {**asked, "rate": options.rate, "canary": options.canary, "force": selection.force}
    with journal(account, time.time, output.warn, "dlq replay", **asked) as action:
        work = Replay(account.queues.replies, options.rate, force=selection.force, record_letters=action.record_letters)
        done = ReplayRun(account, selection, options, work, Outcomes(work.replayed), time.time())
        try:
            done.replay_canary()
            if not done.is_stopped:
                done.replay_remaining()
        finally:
            action.outcome = done.counts()
            if not quiet:
                output.say(f"{len(work.replayed)} replayed.")
        if not done.is_stopped and done.outcomes.not_known:
            wait_for_outcomes(account, done.outcomes, done.since, wait=options.wait, timeout=options.timeout)
        action.outcome = done.counts()
    if not quiet and work.replayed:
        output.say(f"{summarize(done.outcomes)}.")
        suggest_next(done.outcomes, done.since)
    return done
