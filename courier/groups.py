"""Dead letters by cause: the reason, the error code and the path of the invalid member. And what to do about each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.padding import Padding
from rich.text import Text

from contract.client_token import iso
from contract.dead_letter import DETAIL, Reason
from contract.reply import SCHEMA
from courier.dead_letters import MOVED_BY_SQS, printable_identifier
from courier.output import format_age, out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from courier.dead_letters import Letter

ADVICE: Mapping[str, str] = {
    Reason.INVALID_REPLY: "Ask the producer to fix the reply and send it again, or fix it: courier dlq edit ID",
    Reason.INVALID_PAYLOAD: "Ask the producer to send the reply again, or write it anew: courier dlq edit ID",
    Reason.PAYLOAD_NOT_FOUND: "Ask the producer to send the reply again under its ClientToken, "
    "then: courier dlq discard ID",
    Reason.RECIPIENT_NOT_ALLOWED: "Leave it if the stack is not for production, or if you are withdrawing a wrong text "
    "(docs/runbook.md). Otherwise correct allowedRecipients, deploy, and: courier dlq replay --reason "
    "RecipientNotAllowed",
    Reason.INVALID_CLIENT_TOKEN: "Ask the producer to send the reply again with a valid token, or send it without: "
    "courier dlq edit ID",
    Reason.INVALID_REQUEST: "Read Connect's message (courier dlq show ID). If the draft is spent, its producer makes "
    "another; otherwise fix the reply: courier dlq edit ID",
    Reason.NOT_FOUND: "Restore the contact or template (an expired draft: docs/runbook.md, NotFound), then: "
    "courier dlq replay --reason NotFound --canary 5",
    Reason.TOKEN_ALREADY_USED: "Find out whether the customer has the reply. If so: courier dlq discard ID. If it was "
    "surely not sent: courier dlq edit --new-token ID",
    Reason.TOKEN_TOO_OLD: "Find out whether the customer has the reply. If so: courier dlq discard ID. If not: "
    "courier dlq replay --force ID (with CreateContact: courier dlq edit --new-token ID)",
    Reason.MAY_HAVE_BEEN_SENT: "Look up in Connect the contact that Detail names (courier dlq show ID). If the "
    "customer has the reply: courier dlq discard ID. If not: courier dlq edit --new-token ID",
    Reason.REFUSED: "Read Connect's message (courier dlq show ID), fix the cause, then: courier dlq replay ID",
    Reason.RETRIES_EXHAUSTED: "When the cause is fixed: courier dlq replay --reason RetriesExhausted --rate 2",
    MOVED_BY_SQS: "The function never finished it, or it is too large. Fix that, then: "
    "courier dlq replay --reason MovedBySqs",
}
"""The next step for each reason, in a line; docs/runbook.md says more."""
UNKNOWN_REASON = "This reason is not one of reply-courier's: courier dlq show ID"

_ERROR_CODE = re.compile(r"(?:Last: )?([A-Z][a-z]+[A-Z][A-Za-z]{,60} \(\d{3}\)|[A-Z][A-Za-z]{,60}(?:Error|Exception)):")
"""The beginning of a Detail from Connect: its error code and HTTP status, or botocore's error."""
_REPLY_PATH = re.compile(r"reply((?:\.[A-Za-z]+|\[\d{1,3}\])*)")
"""The beginning of a Detail from the contract's check."""
_AWS_PATH = re.compile(r"at '([A-Za-z0-9.]+)' failed to satisfy constraint")
"""How AWS names the member that breaks a rule."""


class Cause(NamedTuple):
    """What went wrong with a letter, without anything of the reply.

    Attributes:
        reason: The reason; None if it is not an identifier.
        error_code: Connect's error code and HTTP status, such as "InvalidRequestException (400)".
        path: The invalid member, such as "reply.EmailMessage.RawMessage.Subject".
    """

    reason: str | None
    error_code: str | None = None
    path: str | None = None

    @property
    def details(self) -> str:
        """The error code and the path, as far as they are known."""
        return ", ".join(filter(None, (self.error_code, self.path)))


@dataclass
class Group:
    """Letters with the same cause.

    Attributes:
        cause: Their cause.
        count: How many letters.
        oldest_at, newest_at: SentTimestamps, in seconds since the epoch.
        letter_id: The newest letter's.
    """

    cause: Cause
    count: int
    oldest_at: float
    newest_at: float
    letter_id: str

    @property
    def advice(self) -> str:
        """What to do about one of them."""
        return advice(self.cause.reason, self.letter_id)

    def add(self, letter: Letter) -> None:
        """Count a letter."""
        self.count += 1
        self.oldest_at = min(self.oldest_at, letter.sent_at)
        if letter.sent_at >= self.newest_at:
            self.newest_at, self.letter_id = letter.sent_at, letter.id

    def to_json(self) -> dict[str, Any]:
        """As `dlq groups --json` writes it."""
        return {
            "reason": self.cause.reason,
            "error_code": self.cause.error_code,
            "path": self.cause.path,
            "count": self.count,
            "oldest_at": iso(self.oldest_at),
            "newest_at": iso(self.newest_at),
            "id": self.letter_id,
            "advice": self.advice,
        }


def group_letters(letters: Iterable[Letter]) -> list[Group]:
    """The groups, the largest first."""
    groups: dict[Cause, Group] = {}
    for letter in letters:
        cause = cause_of(letter)
        groups.setdefault(cause, Group(cause, 0, letter.sent_at, letter.sent_at, letter.id)).add(letter)
    return sorted(groups.values(), key=lambda group: (-group.count, group.cause.reason or "", group.cause.details))


def cause_of(letter: Letter) -> Cause:
    """The cause of a letter. Of its Detail, which may quote the reply, only known names are used."""
    reason = printable_identifier(letter.reason)
    if letter.reason == MOVED_BY_SQS:  # the function has written no Detail, so it is the producer's
        return Cause(reason)
    detail = letter.text(DETAIL)
    code = _ERROR_CODE.match(detail)
    return Cause(reason, code[1] if code else None, _member_path(detail))


def member_path(message: str) -> str | None:
    """The member that AWS names in an error message; None if it names none."""
    if found := _AWS_PATH.search(message):
        return _contract_path([f".{name}" for name in found[1].split(".")])
    return None


def advice(reason: str | None, letter_id: str) -> str:
    """What to do about a letter with this reason."""
    return ADVICE.get(reason or "", UNKNOWN_REASON).replace(" ID", f" {letter_id}")


def show_group(group: Group, now: float) -> None:
    """Print a group: how many letters, how old, what went wrong, one of them, and what to do."""
    oldest, newest = format_age(now - group.oldest_at), format_age(now - group.newest_at)
    ages = f"{oldest} old" if oldest == newest else f"{newest} to {oldest} old"
    head = f"{group.count:6,} {group.cause.reason or 'unknown reason'}"
    out.print(Text(f"{head}  ", style="bold") + Text(ages, style="not bold"))
    for line in filter(None, (group.cause.details, f"Such as {group.letter_id}", group.advice)):
        out.print(
            Padding(Text(line), (0, 0, 0, 7)) if out.is_terminal else f"       {line}", soft_wrap=not out.is_terminal
        )


def _member_path(detail: str) -> str | None:
    if found := _REPLY_PATH.match(detail):
        return _contract_path(re.findall(r"\.[A-Za-z]+|\[\d+\]", found[1]))
    return member_path(detail)


def _contract_path(parts: Sequence[str]) -> str:
    """The path up to the first name that is not a member of the contract: a producer may have written any name.

    Args:
        parts: Members such as ".Subject" or ".subject", and indexes such as "[3]".
    """
    path = "reply"
    for part in parts:
        name = part[1:2].upper() + part[2:]
        if part.startswith("["):
            path += part
        elif name in _members():
            path += f".{name}"
        else:
            break
    return path


@cache
def _members() -> frozenset[str]:
    """Every member that the contract names."""

    def names(schema: object) -> Iterator[str]:
        if isinstance(schema, dict):
            yield from schema.get("properties", {})
            for part in schema.values():
                yield from names(part)

    return frozenset(names(SCHEMA))
