"""The stories of replies: what happened to each, in order. Pure: lines and letters in, stories out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract.client_token import is_identifier
from courier.tracing.ending import ENDING_EVENTS, Ending, ending_of
from courier.tracing.log_line import by_message

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from courier.tracing.letter_now import LetterNow
    from courier.tracing.log_line import LogLine


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to a reply.

    Attributes:
        at: When, in seconds since the epoch.
        what: `put`, `put_again`, `no_line` (receives that left no line), or the log's event.
        message_id: The SQS message.
        line: The log's line; None for what is only told by others.
        receives: For `no_line`, the first and the last of them.
        is_replay: For `put_again`, whether the reply was on the dead-letter queue before.
    """

    at: float
    what: str
    message_id: str
    line: LogLine | None = None
    receives: tuple[int, int] | None = None
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """A reply's story.

    Attributes:
        token: Its client token; None where the log withholds it.
        contact_ids: Its contacts: one, unless a producer gave two replies one token.
        steps: In the order in which they happened.
        letters: What the dead-letter queue holds of it now.
        ending: Where it is.
    """

    token: str | None
    contact_ids: AbstractSet[str]
    steps: Sequence[Step]
    letters: Sequence[LetterNow]
    ending: Ending


def stories(
    lines: Iterable[LogLine], letters: Iterable[LetterNow], now: float, *, all_letters_seen: bool = True
) -> list[Story]:
    """The story of each reply, the earliest first.

    Lines and letters are of one reply if they have one client token. Where the log withholds it, a reply's story is
    that of one message.

    Args:
        lines: Each any number of times, in any order.
        letters: The dead-letter queue now.
        now: Seconds since the epoch.
        all_letters_seen: Whether nobody held letters meanwhile.
    """
    lines_of: dict[str, set[LogLine]] = defaultdict(set)
    letters_of: dict[str, dict[str, LetterNow]] = defaultdict(dict)
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


def _order(line: LogLine) -> tuple[object, ...]:
    """Where a line stands in its story. CloudWatch returns lines of the same time in any order.

    A line that ends a message comes after the others of its time. What remains decides nothing; it makes the order
    the same each time.
    """
    is_end = line.event in ENDING_EVENTS
    return line.at, line.receive_count, is_end, line.message_id, line.event, repr(line)


def _story(lines: Sequence[LogLine], letters: Sequence[LetterNow], now: float, *, all_letters_seen: bool) -> Story:
    told = [line.token for line in lines] + [letter.token for letter in letters]
    contacts = [line.contact_id for line in lines] + [letter.contact_id for letter in letters]
    return Story(
        token=next((token for token in told if token and is_identifier(token)), None),
        contact_ids={contact for contact in contacts if contact and is_identifier(contact)},
        steps=list(_steps(lines)),
        letters=letters,
        ending=ending_of(lines, letters, now, all_letters_seen=all_letters_seen),
    )


def _beginning(story: Story) -> float:
    return min([*(step.at for step in story.steps), *(letter.sent_at for letter in story.letters)])


def _steps(lines: Sequence[LogLine]) -> list[Step]:
    """The steps of all messages of a reply, in time order: the sort keeps the order of those at one time."""
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
