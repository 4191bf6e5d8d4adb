"""Dead letters by what went wrong: by reason, and by the words of Detail that may be printed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.text import Text

from contract.dead_letter import DETAIL, MAX_DETAIL, Reason
from contract.reply import SCHEMA
from contract.token_age import iso
from courier.dead_letters import MOVED_BY_SQS, printable_identifier
from courier.output import format_age, out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from courier.dead_letters import Letter


@dataclass
class Group:
    """Letters that have the same reason and the same masked Detail.

    Attributes:
        reason: Theirs; None if it is not an identifier.
        words: Of Detail, what may be printed.
        count: How many letters.
        oldest_at, newest_at: SentTimestamps, in seconds since the epoch.
        letter_id: The newest one's.
    """

    reason: str | None
    words: str
    count: int
    oldest_at: float
    newest_at: float
    letter_id: str

    @property
    def advice(self) -> str:
        """What to do about one of them."""
        return advice(self.reason, self.letter_id)

    def add(self, letter: Letter) -> None:
        """Count a letter in."""
        self.count += 1
        self.oldest_at = min(self.oldest_at, letter.sent_at)
        if letter.sent_at >= self.newest_at:
            self.newest_at, self.letter_id = letter.sent_at, letter.id

    def to_json(self) -> dict[str, Any]:
        """As `dlq groups --json` writes it."""
        return {
            "reason": self.reason,
            "words": self.words,
            "count": self.count,
            "oldest_at": iso(self.oldest_at),
            "newest_at": iso(self.newest_at),
            "id": self.letter_id,
            "advice": self.advice,
        }


def groups(letters: Iterable[Letter]) -> list[Group]:
    """The groups, the largest first."""
    found: dict[tuple[str | None, str], Group] = {}
    for letter in letters:
        reason = printable_identifier(letter.reason)
        # A letter that SQS moved has no Detail of the function's: what stands there, the producer wrote.
        words = "" if letter.reason == MOVED_BY_SQS else masked(letter.text(DETAIL))
        group = found.setdefault((reason, words), Group(reason, words, 0, letter.sent_at, letter.sent_at, letter.id))
        group.add(letter)
    return sorted(found.values(), key=lambda group: (-group.count, group.reason or "", group.words))


_INDENT = (0, 0, 0, 7)


def show_group(group: Group, now: float) -> None:
    """How many, how old, in which words, one of them, and what to do."""
    oldest, newest = format_age(now - group.oldest_at), format_age(now - group.newest_at)
    ages = f"{oldest} old" if oldest == newest else f"{newest} to {oldest} old"
    head = f"{group.count:6,} {group.reason or 'a reason that is not one of ours'}"
    out.print(Text(f"{head}  ", style="bold") + Text(ages, style="not bold"))
    for line in filter(None, (group.words, f"Such as {group.letter_id}", group.advice)):
        out.print(Padding(Text(line), _INDENT) if out.is_terminal else f"       {line}", soft_wrap=not out.is_terminal)


MASK = "…"


MAX_CHARACTERS = 200


_QUOTE = r"['\"`\u00b4\u2018-\u201f\u00ab\u00bb\u2039\u203a]"


_CODE = re.compile(
    r"(?:Last: )?(?:[A-Z][a-z]+[A-Z][A-Za-z]{,60} \(\d{3}\)|[A-Z][A-Za-z]{,60}(?:Error|Exception)):(?: |$)"
)
"""What a Detail of Connect's begins with: its error code and HTTP status, or botocore's error."""


_PATH = re.compile(r"at '([A-Za-z0-9.]+)' failed to satisfy constraint")
"""How AWS names the member that breaks a rule, after its value in quotes."""


_WORD = re.compile(r"[A-Za-z]+")


_NUMBER = re.compile(r"\d+")


_PLAIN = re.compile(r"[A-Za-z0-9._/\[\]()-]+")


_EDGES = ".,:;()[]{}!?"


_KNOWN = frozenset(
    _WORD.findall(
        """
        a accept accepted access active actual after again all allow allowed already an and another answered
        any api are array as asked at attachment attachments attempt attribute attributes available be because
        been before begins being between body boolean bucket but by byte bytes call called calls can cannot cause
        channel character characters client closed column come coming complete completed conflict connect connection
        constraint contact contacts contain contains content could count crash create created data deeply
        deleted denied deserialize destination detected did disabled display does draft duplicate either email
        emails empty enabled encoded end ended endpoint entity enum equal error errors every exceed exceeded
        exceeds exist existing exists expected expecting expired failed failure few field fields first fit flow
        follow following for form format found from function given gone greater had has have header http id
        idempotency identifier if in inactive instance integer internal invalid is it item items its json key
        knowledge known last least leave length less limit limited long longer malformed many match matches
        matching maximum may mean member members message messages method minimum missing more most must name named
        names needs nested no not null number object of on once one only open operation or order other out outbound
        parameter parameters parse pattern per permission permitted pointer points policy present process processed
        processing properties property provided queue queued quota range rate raw reached read received
        receives recipient recipients refused regular rejected reply request requested requests required
        resource response result retry right same satisfy say says scan schema seen sent service set shorter should
        size source specified stack state status still string successfully support supported system template
        terminated than that the then there this throttled time timeout times to token too tries try twice
        type types unable unauthorized unexpected unique unknown unsupported update url use used utf user valid
        validation value values version was were when where which with within without would write wrong you
        """
    )
)
"""What Connect, botocore and the function say of a request. None of them is anybody's name, but for these:"""


_NAMES = {"Field", "Fields", "Key", "Long", "May"}


_LONE = 2
"""So many known words or fewer, between two that are masked, are masked as well: they are likely the reply's."""


def masked(detail: str) -> str:
    """The Detail with the mask in place of whatever could be the reply's own: quoted text, ids, addresses, names.

    Digits become N. Texts that differ in what is masked alone become the same, so that letters can be grouped by them.
    """
    told = ""
    detail = detail[:MAX_DETAIL]
    if code := _CODE.match(detail):
        told, detail = code[0].rstrip() + " ", detail[code.end() :]
    words = [_word(word) for word in _without_quotations(detail).split()]
    text = told + " ".join(_joined(words))
    return text.rstrip() if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + MASK


def _without_quotations(text: str) -> str:
    """The text before the first quotation mark, and after the last one: what is quoted may hold such marks itself.

    An apostrophe between two letters is none of them. With an odd number of marks, or in a Detail that was shortened,
    the last one may begin a quotation that is cut off: nothing after it is safe. The member that AWS names is put in
    the place of all that.
    """
    marks = [mark.start() for mark in re.finditer(rf"(?<![A-Za-z]){_QUOTE}|{_QUOTE}(?![A-Za-z])", text)]
    if not marks:
        return text
    is_cut_off = len(marks) % 2 == 1 or len(text) >= MAX_DETAIL
    after = "" if is_cut_off else text[marks[-1] + 1 :]
    members = " ".join(f"at {path}" for path in _PATH.findall(text))
    return f"{text[: marks[0]]} {MASK} {members} {after}"


def _joined(words: Sequence[str]) -> Iterator[str]:
    """The words, one mask for all that stand together, and for the few known ones among them."""
    runs = [list(run) for _, run in groupby(words, lambda word: word == MASK)]
    for n, run in enumerate(runs):
        follows_lone = n > 1 and len(runs[n - 1]) <= _LONE
        is_lone = 0 < n < len(runs) - 1 and len(run) <= _LONE
        if run[0] == MASK:
            yield from () if follows_lone else (MASK,)
        else:
            yield from () if is_lone else run


def _word(word: str) -> str:
    core = word.strip(_EDGES)
    if not core:
        return word
    known = _PLAIN.fullmatch(core) and all(map(_is_known, _WORD.findall(core)))
    return word.replace(core, _NUMBER.sub("N", core)) if known else MASK


def _is_known(word: str) -> bool:
    """Whether the word is one of a request's members, or of what is said about requests."""
    if word in _contract() or word[0].upper() + word[1:] in _contract():
        return True
    return word.lower() in _KNOWN and (word.islower() or word.title() not in _NAMES)


@cache
def _contract() -> frozenset[str]:
    """The words of the contract's schema: its members, and the descriptions that the function's faults quote."""
    return frozenset(_WORD.findall(json.dumps(SCHEMA)))


ADVICE: Mapping[str, str] = {
    Reason.INVALID_REPLY: "Have the producer send it again, mended; or mend it: courier dlq edit ID",
    Reason.INVALID_PAYLOAD: "Have the producer send it again; or write it anew: courier dlq edit ID",
    Reason.PAYLOAD_NOT_FOUND: "Have the producer send it again under its ClientToken, then: courier dlq discard ID",
    Reason.RECIPIENT_NOT_ALLOWED: "Nothing, if the stack is not for production or a wrong text is being taken back "
    "(docs/runbook.md); else correct allowedRecipients, deploy, and: courier dlq replay --reason RecipientNotAllowed",
    Reason.INVALID_CLIENT_TOKEN: "Have the producer send it again with a right token; or send it without: "
    "courier dlq edit ID",
    Reason.INVALID_REQUEST: "Read Connect's words (courier dlq show ID). A spent draft: its producer makes another; "
    "else mend it: courier dlq edit ID",
    Reason.NOT_FOUND: "Restore the contact or template (an expired draft: docs/runbook.md, NotFound), then: "
    "courier dlq replay --reason NotFound --canary 5",
    Reason.TOKEN_ALREADY_USED: "Ask whether the customer has it. If so: courier dlq discard ID. If surely not: "
    "courier dlq edit --new-token ID",
    Reason.TOKEN_TOO_OLD: "Ask whether the customer has it. If so: courier dlq discard ID. If not: "
    "courier dlq replay --force ID",
    Reason.REFUSED: "Read Connect's words (courier dlq show ID), mend the cause, then: courier dlq replay ID",
    Reason.RETRIES_EXHAUSTED: "When the cause is over: courier dlq replay --reason RetriesExhausted --rate 2",
    MOVED_BY_SQS: "The function never came to it, or it is too large. Mend that, then: "
    "courier dlq replay --reason MovedBySqs",
}


OTHER = "The reason is not one of ours: courier dlq show ID"


def advice(reason: str | None, letter_id: str) -> str:
    """What to do about a letter with this reason."""
    return ADVICE.get(reason or "", OTHER).replace(" ID", f" {letter_id}")
