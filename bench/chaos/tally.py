"""What became of every reply of a run: counted from Connect's own record and the dead-letter queue alone."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from local.replies import Reply
from local.sqs import HIDDEN_SECONDS, messages, token_of
from local.system import LocalCourier

LABEL = re.compile(r"reply-\d{4}")


class Letter(NamedTuple):
    """A message on the dead-letter queue: its reply's label, its reason (none where it has no token), its token."""

    label: str
    reason: str | None
    token: str = ""


@dataclass(frozen=True)
class Account:
    """What became of the replies of a run; each list holds labels.

    Attributes:
        replies: How many there were.
        sent: How many of them were sent.
        calls: How often Connect was asked.
        repeats: How many of the calls repeated a token that had been accepted.
        answers_lost: How many accepted calls had their connection closed instead of an answer.
        lost: Neither sent nor on the dead-letter queue in the end.
        twice: Sent more than once.
        without_reason: At any time on the dead-letter queue without a token or without a reason.
        dead_though_sound: On the dead-letter queue with nothing wrong with them, at any time; or there in the end,
            though mended or sent.
        wrong_token: Connect was asked under more than one token.
        told_falsely: Events that say what is not so, by their ids.
        untold: Tokens of replies that ended and of which no event tells, if the function has counted fewer as lost.
        waits_though_sent: On the dead-letter queue as TokenAlreadyUsed in the end, though sent. That is not wrong:
            where a repeat answers 409, nobody can tell, and no replay or edit sends it again (docs/design.md).
    """

    replies: int
    sent: int
    calls: int
    repeats: int
    answers_lost: int
    lost: list[str]
    twice: list[str]
    without_reason: list[str]
    dead_though_sound: list[str]
    wrong_token: list[str]
    told_falsely: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    waits_though_sent: tuple[str, ...] = ()

    @property
    def wrong(self) -> dict[str, list[str]]:
        """Whatever went wrong, by its name."""
        return {name: labels for name, labels in asdict(self).items() if isinstance(labels, list) and labels}


def letters(courier: LocalCourier) -> Iterator[Letter]:
    """Look at every dead letter; they are visible again when all have been looked at."""
    for letter in messages(courier.aws.sqs, courier.dead_letter_queue_url):
        attributes = letter.get("MessageAttributes", {})
        reason = attributes["ReplyCourier.Reason"]["StringValue"] if "ReplyCourier.Reason" in attributes else None
        has_token = bool({"ClientToken", "ReplyCourier.MessageId"} & attributes.keys())
        yield Letter(LABEL.findall(letter["Body"])[0], reason if has_token else None, token_of(letter))
    courier.aws.skip(HIDDEN_SECONDS)


def account(given: Sequence[Reply], calls: Sequence[Mapping[str, Any]], looks: Sequence[Sequence[Letter]]) -> Account:
    """Say where every reply is.

    Args:
        given: All replies.
        calls: Connect's record.
        looks: The dead-letter queue before each redrive, and in the end.
    """
    sent = Counter(call["contact_id"] for call in calls if call["accepted"])
    tokens = Counter(contact_id for contact_id, _ in {(call["contact_id"], call["client_token"]) for call in calls})

    def waits_though_sent(letter: Letter) -> bool:
        return letter.reason == "TokenAlreadyUsed" and letter.label in sent

    used = {letter.label for letter in looks[-1] if waits_though_sent(letter)}
    finally_dead = {letter.label for letter in looks[-1]} - used
    ever = {letter.label for look in looks for letter in look if not waits_though_sent(letter)}
    sound = {reply.label for reply in given if reply.kind == "sound"}
    mended = {reply.label for reply in given if reply.kind == "mended"}
    return Account(
        replies=len(given),
        sent=len(sent),
        calls=len(calls),
        repeats=sum(call["repeat"] for call in calls),
        answers_lost=sum(call["accepted"] and call["status"] is None for call in calls),
        lost=[reply.label for reply in given if reply.label not in finally_dead | sent.keys()],
        twice=sorted(label for label, times in sent.items() if times > 1),
        without_reason=sorted({letter.label for look in looks for letter in look if letter.reason is None}),
        dead_though_sound=sorted(ever & sound | finally_dead & (mended | sent.keys())),
        wrong_token=sorted(label for label, times in tokens.items() if times > 1),
        waits_though_sent=tuple(sorted(used)),
    )
