"""Where a reply is now, decided from what its log lines and letters say, and said in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from contract.client_token import is_identifier, iso
from contract.dead_letter import DoesNotFitError, Reason
from courier.queues.letter import MOVED_BY_SQS
from courier.tracing.log_line import by_message

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from courier.tracing.letter_now import LetterNow
    from courier.tracing.log_line import LogLine


ENDING_EVENTS = {"reply_sent", "reply_already_sent", "reply_dead_lettered"}
"""After a line with one of these, the function is done with the message."""


class Place(StrEnum):
    """Where a reply is."""

    SENT = "sent"
    WAITING = "waiting"
    DEAD_LETTERED = "dead_lettered"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a reply is now.

    Attributes:
        place: In a word.
        sentence: For people.
        at: Since when it is sent or dead-lettered, or until when it waits, in seconds since the epoch, where known.
        why: The cause for which it waits, or the reason for which it is dead-lettered.
    """

    place: Place
    sentence: str
    at: float | None = None
    why: str | None = None


def ending_of(lines: Sequence[LogLine], letters: Sequence[LetterNow], now: float, *, all_letters_seen: bool) -> Ending:
    """The ending of one reply.

    Args:
        lines: Its lines, the earliest first.
        letters: Its letters, the earliest first. There are lines or letters.
        now: Seconds since the epoch.
        all_letters_seen: Whether nobody held letters meanwhile.
    """
    at_last = {message_id: of_message[-1] for message_id, of_message in by_message(lines).items()}
    too_large = {line.message_id for line in lines if line.error == DoesNotFitError.__name__}
    gone = {letter.id for letter in letters}  # SQS keeps the id of a message that it moves itself
    waiting = [line for line in at_last.values() if line.event not in ENDING_EVENTS and line.message_id not in gone]
    if sent := _sent(lines):
        return Ending(sent.place, sent.sentence + _copies(letters), sent.at)
    if letters:
        dead = _dead(letters[-1], len(letters))
        more = f" {_waits(waiting[-1], now, too_large).sentence}" if waiting else ""
        return Ending(dead.place, dead.sentence + more, dead.at, dead.why)
    if waiting:
        return _waits(max(waiting, key=lambda line: line.at), now, too_large)
    return _left_the_dead_letter_queue(lines, all_letters_seen=all_letters_seen)


def _sent(lines: Sequence[LogLine]) -> Ending | None:
    for line in lines:
        if line.event == "reply_sent":
            return Ending(Place.SENT, f"Sent at {utc(line.at)}.", line.at)
    for line in lines:
        if line.event == "reply_already_sent":
            sentence = f"Sent before {utc(line.at)}: Connect had accepted an earlier try, whose answer was lost."
            return Ending(Place.SENT, sentence)
    return None


def _copies(letters: Sequence[LetterNow]) -> str:
    if not letters:
        return ""
    return (
        f" The dead-letter queue holds {_count(len(letters), 'message')} under the same token: if that is not another "
        "reply of the producer's (courier dlq show), discard it."
    )


def _dead(letter: LetterNow, count: int) -> Ending:
    since = None if letter.reason == MOVED_BY_SQS else letter.sent_at
    reason = letter.reason if is_identifier(letter.reason) else None
    sentence = "On the dead-letter queue" + (f" since {utc(since)}" if since is not None else "") + _because(reason)
    sentence += f" ({count} messages under this token)." if count > 1 else "."
    if reason == Reason.TOKEN_ALREADY_USED:
        sentence += " It may have been sent: nobody can tell."
    return Ending(Place.DEAD_LETTERED, sentence, since, reason)


def _waits(line: LogLine, now: float, too_large: Container[str]) -> Ending:
    """The ending of a message whose last line is this one; `too_large` has those too large for a dead letter."""
    if line.message_id in too_large:
        sentence = (
            "Waiting: it cannot be sent, and is too large for the dead-letter queue's attributes. SQS moves it there "
            "within a day, without a reason."
        )
        return Ending(Place.WAITING, sentence)
    if line.event not in {"reply_retried", "reply_handed_back"}:
        sentence = (
            f"Waiting: its last try, at {utc(line.at)}, has not come to an end. If it was cut off, the message comes "
            "back after the queue's visibility time-out."
        )
        return Ending(Place.WAITING, sentence, None, line.cause)
    due = line.at + (line.seconds or 0)
    why = f"the last try ended in {line.cause}" if line.cause else "there was no time to try it"
    if due > now:
        return Ending(Place.WAITING, f"Waiting until {utc(due)}: {why}.", due, line.cause)
    sentence = f"Waiting to be received since {utc(due)}: {why}. courier status shows the queue."
    return Ending(Place.WAITING, sentence, due, line.cause)


def _left_the_dead_letter_queue(lines: Sequence[LogLine], *, all_letters_seen: bool) -> Ending:
    last = lines[-1]
    held = "" if all_letters_seen else " Somebody holds letters now: run it again."
    return Ending(
        Place.UNKNOWN,
        f"Unknown: dead-lettered at {utc(last.at)}{_because(last.reason)}, and not on the dead-letter queue now. It "
        f"was replayed and not received since, discarded, or deleted by SQS at the end of its 14 days.{held}",
        None,
        last.reason,
    )


def _because(reason: str | None) -> str:
    return f" because of {reason}" if reason else ""


def utc(seconds: float) -> str:
    """A time as a story has it."""
    return iso(seconds).replace("+00:00", "Z")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def not_found(searched: str) -> Ending:
    """The ending of a reply that nobody knows; `searched` is the time that was searched, like "14d"."""
    return Ending(
        Place.UNKNOWN,
        f"Unknown: neither the log of the last {searched} nor the dead-letter queue has it. It may wait for its first "
        "receive (courier status shows the queue), its lines may be seconds old and not searchable yet, or older than "
        "the log keeps them.",
    )
