"""Puts letters back on the queue of replies: sent before deleted, under the token that each has always had."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from courier.interrupts import uninterrupted
from courier.payloads import UnreadableError
from courier.queues import sending
from courier.queues.sending import MAX_ENTRIES, NotDone, Outgoing, resent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from courier.payloads import Payloads
    from courier.queues.held_letters import HeldLetters
    from courier.queues.letter import Letter
    from courier.queues.selection import Selection


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
        takes: Is given each batch's letters before they are sent.
        replayed: For the client token of each letter that was replayed when the letter had come to the dead-letter
            queue, in seconds since the epoch.
        not_done: What was not replayed, or not deleted afterwards.
    """

    replies_url: str
    rate: float | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    force: bool = False
    takes: Callable[[Sequence[Letter]], object] = lambda _letters: None
    replayed: dict[str, float] = field(default_factory=dict)
    not_done: list[NotDone] = field(default_factory=list)

    def run(self, held: HeldLetters, selection: Selection, advance: Callable[[int], None]) -> None:
        """Replay until the queue's end or the selection's limit; `advance` gets each batch's number of letters.

        Cut off at any point, every letter is on at least one of the two queues, under one token: Connect sends it once.

        Raises:
            botocore.exceptions.ClientError, BotoCoreError: A call failed. What was sent has been sent: running it
                again sends a copy with the same token.
        """
        next_turn = self.clock()
        # A second's worth at once, so that a slow pace is an even one.
        most = MAX_ENTRIES if self.rate is None else max(1, min(MAX_ENTRIES, int(self.rate)))
        for letters in selection.chosen(held.batches(most)):
            if self.rate is not None:
                self.sleep(max(0.0, next_turn - self.clock()))
                next_turn = max(next_turn, self.clock()) + len(letters) / self.rate
            with uninterrupted():
                self.takes(letters)
                offers = [resent(letter, self.now(), force=self.force) for letter in letters]
                not_done = move(held, self.replies_url, letters, offers)
            self.not_done += not_done
            names = {each.name for each in not_done}
            # Without a usable token it comes back, and no line tells of it: it is known as what the log withholds.
            done = [letter for letter in letters if letter.id not in names]
            self.replayed |= {each.token or f"({each.id})": each.sent_at for each in done}
            advance(len(letters))


def move(
    held: HeldLetters, queue_url: str, letters: Sequence[Letter], offers: Sequence[Outgoing | NotDone]
) -> list[NotDone]:
    """Send letters to a queue, then delete them where they are held; return those that were not sent, or not deleted.

    Args:
        held: Holds them.
        queue_url: Where to.
        letters: Up to ten.
        offers: Each as it is sent, or why it is not.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: A call failed. A letter may be in both places, under one token.
    """
    renewed = [_renewed(offer, held.payloads) if isinstance(offer, Outgoing) else offer for offer in offers]
    not_done = [offer for offer in renewed if isinstance(offer, NotDone)]
    for batch in sending.batches(offer for offer in renewed if isinstance(offer, Outgoing)):
        refused = sending.send(held.sqs, queue_url, batch)
        taken = {message.name for message in batch} - {each.name for each in refused}
        not_done += refused
        not_done += [
            NotDone(each.name, f"sent, but SQS did not delete it here ({each.why}); doing it again is safe")
            for each in held.delete([letter for letter in letters if letter.id in taken])
        ]
    return not_done


def _renewed(offer: Outgoing, payloads: Payloads | None) -> Outgoing | NotDone:
    """The message, once its object in S3 has all of its time before it."""
    try:
        if payloads is not None:
            payloads.renew(offer.body, offer.attributes)
    except UnreadableError as unreadable:
        return NotDone(offer.name, f"its body in S3 {unreadable}")
    return offer
