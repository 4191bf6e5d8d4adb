"""A replay carried out: all at once, or a few first and the others only if each of these is sent."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from courier.commands.dlq.outcome import in_words, listen, more
from courier.journal import journal
from courier.queues.held_letters import HeldLetters
from courier.queues.replaying import Replay
from courier.terminal import view
from courier.terminal.progress import progress
from courier.tracing.outcomes import Outcomes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from courier.aws import Account
    from courier.queues.selection import Selection
    from courier.queues.sending import NotDone


@dataclass(frozen=True, slots=True)
class Way:
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
class PutBack:
    """A replay and what came of it.

    Attributes:
        account: Where.
        selection: Takes the letters.
        way: How.
        work: Moves them.
        outcomes: What became of those that were put back, as far as the function's log tells.
        since: When it began, in seconds since the epoch.
        not_seen: What to tell of letters that somebody else holds.
        is_stopped: Whether those that went first have kept the others from following.
    """

    account: Account
    selection: Selection
    way: Way
    work: Replay
    outcomes: Outcomes
    since: float
    not_seen: list[NotDone] = field(default_factory=list)
    is_stopped: bool = False

    @property
    def not_done(self) -> list[NotDone]:
        """What was asked for and not put back, or not deleted afterwards."""
        # An id that was asked for and not seen is missing; without ids, what is not seen may have been meant.
        not_seen = [] if self.selection.filters.ids else self.not_seen
        missing = [] if self.is_stopped else self.selection.missing()
        return [*self.work.not_done, *self.selection.not_done, *missing, *not_seen]

    @property
    def is_done(self) -> bool:
        """Whether all was done that was asked for: with `--wait`, whether all are sent."""
        return not (self.not_done or self.is_stopped) and (self.outcomes.all_sent or not self.way.wait)

    def first(self) -> None:
        """Replay the first few, and wait until each is sent or back; stop if one is not put back, or not sent."""
        if self.way.canary is None:
            return
        asked_for = self.selection.limit
        self.selection.limit = min(self.way.canary, asked_for or self.way.canary)
        self.up_to_the_limit()
        self.selection.limit = asked_for
        listen(self.account, self.outcomes, self.since, wait=True, timeout=self.way.timeout)
        kept = len(self.selection.ids) - len(self.work.replayed)
        self.is_stopped = kept > 0 or not self.outcomes.all_sent
        if len(self.selection.ids) >= self.way.canary or self.is_stopped:
            words = in_words(self.outcomes) + (f", {kept} not put back" if kept else "")
            then = "The others stay" if self.is_stopped else "The others follow"
            view.warn(f"Of the first {len(self.selection.ids)}: {words}. {then}.")

    def up_to_the_limit(self) -> None:
        """Replay until the selection has taken as many letters as it may."""
        with HeldLetters(
            self.account.sqs,
            self.account.queues.dead_letters,
            view.warn,
            self.way.rate,
            payloads=self.account.payloads,
            read_payloads=bool(self.selection.filters.contacts),
        ) as held:
            left = self.selection.most - len(self.selection.ids)
            with progress("Replayed", int(min(left, held.depth))) as advance:
                self.work.run(held, self.selection, advance)
            self.not_seen = held.not_seen()

    def counts(self) -> dict[str, Any]:
        """For the journal."""
        return {
            "replayed": len(self.work.replayed),
            "not_done": len(self.not_done),
            "sent": len(self.outcomes.sent),
            "came_back": Counter(self.outcomes.came_back.values()),
            "not_known": len(self.outcomes.not_known),
        }

    def to_json(self) -> dict[str, Any]:
        """As `replay --json` writes it."""
        return {
            "replayed": len(self.work.replayed),
            **self.outcomes.to_json(),
            "not_done": [{"name": each.name, "why": each.why} for each in self.not_done],
            "copies": self.selection.copies,
            "stopped": self.is_stopped,
        }


def put_back(
    account: Account, selection: Selection, way: Way, asked: Mapping[str, Any], *, quiet: bool = False
) -> PutBack:
    """Replay a selection, and say what became of it.

    Args:
        account: Where.
        selection: Takes the letters.
        way: How.
        asked: What the operator asked for, for the journal.
        quiet: Whether the answer is left to the caller.

    Raises:
        OSError: The journal cannot be written; nothing is done.
        botocore.exceptions.ClientError, BotoCoreError: A call failed. What was sent has been sent: running it again
            sends a copy with the same token.
    """
    asked = {**asked, "rate": way.rate, "canary": way.canary, "force": selection.force}
    with journal(account, time.time, view.warn, "dlq replay", **asked) as action:
        work = Replay(account.queues.replies, way.rate, force=selection.force, takes=action.takes)
        done = PutBack(account, selection, way, work, Outcomes(work.replayed), time.time())
        try:
            done.first()
            if not done.is_stopped:
                done.up_to_the_limit()
        finally:
            action.outcome = done.counts()
            if not quiet:
                view.say(f"{len(work.replayed)} replayed.")
        if not done.is_stopped and done.outcomes.not_known:
            listen(account, done.outcomes, done.since, wait=way.wait, timeout=way.timeout)
        action.outcome = done.counts()
    if not quiet and work.replayed:
        view.say(f"{in_words(done.outcomes)}.")
        more(done.outcomes, done.since)
    return done
