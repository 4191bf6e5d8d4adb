"""A reply's story: the steps in order, and where the reply is now. Pure: lines and letters in, stories out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from contract.client_token import MESSAGE_ID, is_identifier, iso
from contract.dead_letter import DoesNotFitError, Reason
from courier.dead_letters import MOVED_BY_SQS
from courier.trace.log import FINAL_EVENTS, by_message

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from courier.dead_letters import Letter
    from courier.trace.log import LogLine


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
        at: Since when it is sent or dead-lettered, or until when it waits, in seconds since the epoch, if known.
        why: The cause of the retry, or the reason of the dead letter.
    """

    place: Place
    sentence: str
    at: float | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to a reply.

    Attributes:
        at: When, in seconds since the epoch.
        what: `put`, `put_again`, `no_line` (receives without a line), or the log's event.
        message_id: The SQS message.
        line: The log's line; None if the step follows from other lines.
        receives: For `no_line`, the first and the last of these receives.
        is_replay: For `put_again`, whether the reply was on the dead-letter queue before.
    """

    at: float
    what: str
    message_id: str
    line: LogLine | None = None
    receives: tuple[int, int] | None = None
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class LetterSummary:
    """A letter, without its body.

    Attributes:
        id: The letter's message id.
        token: The reply's client token; None if it is not valid.
        contact_id: The reply's contact.
        first_id: The id under which SQS first had the reply.
        reason: Why it is a dead letter.
        sent_at: When it arrived, in seconds since the epoch. If SQS moved it, when the producer sent the reply.
    """

    id: str
    token: str | None
    contact_id: str | None
    first_id: str
    reason: str
    sent_at: float

    @classmethod
    def of(cls, letter: Letter) -> Self:
        """The summary of a letter."""
        first_id = letter.text(MESSAGE_ID) or letter.id
        return cls(letter.id, letter.token, letter.contact_id, first_id, letter.reason, letter.sent_at)

    @property
    def names(self) -> set[str]:
        """Everything that identifies the reply."""
        return {name for name in (self.id, self.token, self.contact_id, self.first_id) if name}

    @property
    def reply(self) -> str:
        """What all lines and letters of the reply have in common."""
        return self.token if self.token and is_identifier(self.token) else self.first_id


@dataclass(frozen=True, slots=True)
class Story:
    """A reply's story.

    Attributes:
        token: Its client token; None if the log withholds it.
        contact_ids: Its contacts: one, unless a producer used one token for two replies.
        steps: In the order in which they happened.
        letters: Its letters on the dead-letter queue now.
        ending: Where it is.
    """

    token: str | None
    contact_ids: AbstractSet[str]
    steps: Sequence[Step]
    letters: Sequence[LetterSummary]
    ending: Ending


def follow(
    name: str, letters: Sequence[LetterSummary], search: Callable[[AbstractSet[str]], Iterable[LogLine]]
) -> tuple[AbstractSet[LogLine], list[LetterSummary]]:
    """Find the lines and letters of all replies that a name leads to, under all their other names.

    A replay gives a reply a new message id under its old token. A reply's contact does not lead to other replies of
    the contact.

    Args:
        name: A client token, a contact id or a message id.
        letters: The dead-letter queue now.
        search: Finds the log's lines about replies with these names.
    """
    lines: set[LogLine] = set()
    ours: list[LetterSummary] = []
    names, searched = {name}, set[str]()
    while new := names - searched:
        lines.update(search(new))
        searched |= new
        ours = [letter for letter in letters if letter.names & names]
        names |= {line.token or line.message_id for line in lines}
        names |= {each for letter in ours for each in (letter.id, letter.token, letter.first_id) if each}
    return lines, ours


def stories(
    lines: Iterable[LogLine], letters: Iterable[LetterSummary], now: float, *, all_letters_seen: bool = True
) -> list[Story]:
    """The story of each reply, the earliest first.

    Lines and letters with the same client token belong to one reply. If the log withholds the token, each message is
    a reply.

    Args:
        lines: In any order, each any number of times.
        letters: The dead-letter queue now.
        now: Seconds since the epoch.
        all_letters_seen: Whether nobody else held letters.
    """
    lines_of: dict[str, set[LogLine]] = defaultdict(set)
    letters_of: dict[str, dict[str, LetterSummary]] = defaultdict(dict)
    for line in lines:
        lines_of[line.token or line.message_id].add(line)
    for letter in letters:
        letters_of[letter.reply][letter.id] = letter
    found = [
        _story(
            sorted(lines_of[reply], key=_order),
            sorted(letters_of[reply].values(), key=lambda letter: (letter.sent_at, letter.id)),
            now,
            all_letters_seen=all_letters_seen,
        )
        for reply in sorted(lines_of.keys() | letters_of.keys())
    ]
    return sorted(found, key=_beginning)


def not_found(searched: str) -> Story:
    """The story of a reply that nobody knows; `searched` is the part of the log that was searched, such as "14d"."""
    sentence = (
        f"Unknown: neither the log of the last {searched} nor the dead-letter queue has it. It may wait for its first "
        "receive (courier status shows the queue). Its lines may be seconds old and not searchable yet, or older than "
        "the log."
    )
    return Story(None, frozenset(), (), (), Ending(Place.UNKNOWN, sentence))


def utc(seconds: float) -> str:
    """A time in a story, such as 2026-11-22T08:15:00.000Z."""
    return iso(seconds).replace("+00:00", "Z")


def _order(line: LogLine) -> tuple[object, ...]:
    """Where a line stands in its story. CloudWatch returns lines of the same time in any order.

    A line that ends a message comes after the others of its time. What remains decides nothing; it makes the order
    the same each time.
    """
    is_end = line.event in FINAL_EVENTS
    return line.at, line.receive_count, is_end, line.message_id, line.event, repr(line)


def _story(lines: Sequence[LogLine], letters: Sequence[LetterSummary], now: float, *, all_letters_seen: bool) -> Story:
    tokens = [line.token for line in lines] + [letter.token for letter in letters]
    contacts = [line.contact_id for line in lines] + [letter.contact_id for letter in letters]
    return Story(
        token=next((token for token in tokens if token and is_identifier(token)), None),
        contact_ids={contact for contact in contacts if contact and is_identifier(contact)},
        steps=_steps(lines),
        letters=letters,
        ending=_ending(lines, letters, now, all_letters_seen=all_letters_seen),
    )


def _beginning(story: Story) -> float:
    return min([*(step.at for step in story.steps), *(letter.sent_at for letter in story.letters)])


def _steps(lines: Sequence[LogLine]) -> list[Step]:
    """The steps of all messages of a reply, by time. The sort keeps the order of steps at the same time."""
    steps: list[Step] = []
    dead_since: float | None = None
    for message_id, of_message in by_message(lines).items():
        first = of_message[0]
        known = [line.enqueued_at for line in of_message if line.enqueued_at is not None]
        put_at = min([first.at, *known])  # SQS's clock may be ahead
        if known or steps:
            replay = dead_since is not None and dead_since <= first.at
            steps.append(Step(put_at, "put_again" if steps else "put", message_id, is_replay=replay))
        seen = 0
        for line in of_message:
            if line.receive_count > seen + 1:
                steps.append(Step(line.at, "no_line", message_id, receives=(seen + 1, line.receive_count - 1)))
            seen = max(seen, line.receive_count)
            steps.append(Step(line.at, line.event, message_id, line))
            if line.event == "reply_dead_lettered":
                dead_since = min(line.at, dead_since or line.at)
    return sorted(steps, key=lambda step: step.at)


def _ending(
    lines: Sequence[LogLine], letters: Sequence[LetterSummary], now: float, *, all_letters_seen: bool
) -> Ending:
    """Where one reply is. There are lines or letters, both with the earliest first."""
    last_lines = {message_id: of_message[-1] for message_id, of_message in by_message(lines).items()}
    too_large = {line.message_id for line in lines if line.error == DoesNotFitError.__name__}
    dead = {letter.id for letter in letters}  # SQS keeps the id of a message that it moves itself
    waiting = [line for line in last_lines.values() if line.event not in FINAL_EVENTS and line.message_id not in dead]
    if sent := _sent(lines):
        return Ending(sent.place, sent.sentence + _copies(letters), sent.at)
    if letters:
        ending = _dead_lettered(letters[-1], len(letters))
        also = f" {_waiting(waiting[-1], now, too_large).sentence}" if waiting else ""
        return Ending(ending.place, ending.sentence + also, ending.at, ending.why)
    if waiting:
        return _waiting(max(waiting, key=lambda line: line.at), now, too_large)
    return _left_the_dead_letter_queue(lines[-1], all_letters_seen=all_letters_seen)


def _sent(lines: Sequence[LogLine]) -> Ending | None:
    for line in lines:
        if line.event == "reply_sent":
            return Ending(Place.SENT, f"Sent at {utc(line.at)}.", line.at)
    for line in lines:
        if line.event == "reply_already_sent":
            before = f"Sent before {utc(line.at)}: Connect had accepted an earlier attempt, whose answer was lost."
            return Ending(Place.SENT, before)
    return None


def _copies(letters: Sequence[LetterSummary]) -> str:
    if not letters:
        return ""
    count = "1 message" if len(letters) == 1 else f"{len(letters)} messages"
    return (
        f" The dead-letter queue holds {count} under the same token. Discard it, unless it is another reply of the "
        "producer's (courier dlq show)."
    )


def _dead_lettered(letter: LetterSummary, count: int) -> Ending:
    since = None if letter.reason == MOVED_BY_SQS else letter.sent_at
    reason = letter.reason if is_identifier(letter.reason) else None
    sentence = "On the dead-letter queue" + (f" since {utc(since)}" if since is not None else "") + _because(reason)
    sentence += f" ({count} messages under this token)." if count > 1 else "."
    if reason == Reason.TOKEN_ALREADY_USED:
        sentence += " Nobody can tell whether it was sent."
    return Ending(Place.DEAD_LETTERED, sentence, since, reason)


def _waiting(line: LogLine, now: float, too_large: Container[str]) -> Ending:
    """The ending of a message by its last line; `too_large` has messages that do not fit as dead letters."""
    if line.message_id in too_large:
        sentence = (
            "Waiting: it cannot be sent, and it is too large for the attributes of a dead letter. SQS moves it to the "
            "dead-letter queue within a day, without a reason."
        )
        return Ending(Place.WAITING, sentence)
    if line.event not in {"reply_retried", "reply_handed_back"}:
        sentence = (
            f"Waiting: its last attempt, at {utc(line.at)}, has not finished. If it was cut off, SQS delivers the "
            "message again after the queue's visibility time-out."
        )
        return Ending(Place.WAITING, sentence, None, line.cause)
    due = line.at + (line.seconds or 0)
    why = f"the last attempt failed with {line.cause}" if line.cause else "there was no time for an attempt"
    if due > now:
        return Ending(Place.WAITING, f"Waiting until {utc(due)}: {why}.", due, line.cause)
    sentence = f"Waiting to be received since {utc(due)}: {why}. courier status shows the queue."
    return Ending(Place.WAITING, sentence, due, line.cause)


def _left_the_dead_letter_queue(last: LogLine, *, all_letters_seen: bool) -> Ending:
    unseen = "" if all_letters_seen else " Somebody else holds letters now; run it again."
    sentence = (
        f"Unknown: dead-lettered at {utc(last.at)}{_because(last.reason)}, and not on the dead-letter queue now. It "
        "was replayed and not received since, or discarded, or SQS deleted it after 14 days."
    )
    return Ending(Place.UNKNOWN, sentence + unseen, None, last.reason)


def _because(reason: str | None) -> str:
    return f" because of {reason}" if reason else ""
