"""What became of every reply of a run, counted from Connect's own record, the dead-letter queue and the event bus."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from local.replies import Reply
from local.sqs import HIDDEN_SECONDS, messages, token_of
from local.system import LocalCourier

LABEL = re.compile(r"reply-\d{4}")


class Letter(NamedTuple):
    """A dead letter.

    Attributes:
        label: The label of its reply.
        reason: Why it was dead-lettered; None if it has no reason or no token.
        token: Its client token.
    """

    label: str
    reason: str | None
    token: str = ""


@dataclass(frozen=True)
class Tally:
    """What became of the replies of a run. Each list holds labels of replies, unless it says otherwise.

    Attributes:
        replies: How many there were.
        sent: How many of them Connect accepted.
        calls: How many calls Connect received.
        repeats: How many calls repeated a token that Connect had accepted.
        answers_lost: How many accepted calls lost their answer.
        lost: Neither sent nor, at the end, on the dead-letter queue.
        twice: Sent more than once.
        without_reason: Dead-lettered without a token or without a reason, at any time.
        dead_though_sound: Dead-lettered at any time though nothing was wrong, or still dead-lettered at the end though
            repaired or sent.
        several_tokens: Attempted with more than one client token.
        false_events: Ids of events that aren't true.
        missing_events: Tokens of replies that were sent or dead-lettered without an event, if they are more than the
            function's log reports as lost.
        sent_and_waiting: Sent, and at the end dead-lettered as TokenAlreadyUsed. That isn't wrong: if a repeat gets
            409, nobody can know whether it was sent, and no replay or edit sends it again (docs/design.md).
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
    several_tokens: list[str]
    false_events: list[str] = field(default_factory=list)
    missing_events: list[str] = field(default_factory=list)
    sent_and_waiting: tuple[str, ...] = ()

    @property
    def wrong(self) -> dict[str, list[str]]:
        """Whatever went wrong, by its name."""
        return {name: labels for name, labels in asdict(self).items() if isinstance(labels, list) and labels}


def letters(courier: LocalCourier) -> Iterator[Letter]:
    """Read every dead letter. When the iteration ends, all of them are visible again."""
    for letter in messages(courier.aws.sqs, courier.dead_letter_queue_url):
        attributes = letter.get("MessageAttributes", {})
        reason = attributes["ReplyCourier.Reason"]["StringValue"] if "ReplyCourier.Reason" in attributes else None
        has_token = bool({"ClientToken", "ReplyCourier.MessageId"} & attributes.keys())
        yield Letter(LABEL.findall(letter["Body"])[0], reason if has_token else None, token_of(letter))
    courier.aws.skip(HIDDEN_SECONDS)


def tally(
    given: Sequence[Reply],
    calls: Sequence[Mapping[str, Any]],
    snapshots: Sequence[Sequence[Letter]],
    doubtful: Collection[str] = (),
) -> Tally:
    """Find out what became of every reply.

    Args:
        given: All replies.
        calls: Connect's record.
        snapshots: The dead-letter queue before each redrive, and at the end.
        doubtful: Reasons besides TokenAlreadyUsed for which a reply may wait although it was sent.
    """
    sent = Counter(label_of(call) for call in calls if call["accepted"])
    tokens = Counter(label for label, _ in {(label_of(call), call["client_token"]) for call in calls})

    def is_sent_and_waiting(letter: Letter) -> bool:
        return letter.reason in {"TokenAlreadyUsed", *doubtful} and letter.label in sent

    sent_and_waiting = {letter.label for letter in snapshots[-1] if is_sent_and_waiting(letter)}
    dead_at_the_end = {letter.label for letter in snapshots[-1]} - sent_and_waiting
    ever_dead = {letter.label for snapshot in snapshots for letter in snapshot if not is_sent_and_waiting(letter)}
    sound = {reply.label for reply in given if reply.kind == "sound"}
    mended = {reply.label for reply in given if reply.kind == "mended"}
    return Tally(
        replies=len(given),
        sent=len(sent),
        calls=len(calls),
        repeats=sum(call["repeat"] for call in calls),
        answers_lost=sum(call["accepted"] and call["status"] is None for call in calls),
        lost=[reply.label for reply in given if reply.label not in dead_at_the_end | sent.keys()],
        twice=sorted(label for label, times in sent.items() if times > 1),
        without_reason=sorted({letter.label for snapshot in snapshots for letter in snapshot if letter.reason is None}),
        dead_though_sound=sorted(ever_dead & sound | dead_at_the_end & (mended | sent.keys())),
        several_tokens=sorted(label for label, times in tokens.items() if times > 1),
        sent_and_waiting=tuple(sorted(sent_and_waiting)),
    )


def label_of(call: Mapping[str, Any]) -> str:
    """Return the label of the reply that a call sends: its contact, or its recipient if the function made the draft."""
    contact_id: str = call["contact_id"]
    if LABEL.fullmatch(contact_id):
        return contact_id
    recipient: str = call["body"]["DestinationEmailAddress"]["EmailAddress"]
    return recipient.partition("@")[0]


def false_events(
    events: Iterable[Mapping[str, Any]], accepted: Collection[str], letters: Collection[Letter]
) -> list[str]:
    """Return the ids of events that aren't true.

    Args:
        events: As a target of the event bus receives them.
        accepted: The tokens that Connect accepted.
        letters: All letters that were dead-lettered at any time.
    """
    dead = {(letter.token, letter.reason) for letter in letters}
    false = []
    for event in events:
        data = event["detail"]["data"]
        if event["detail-type"] == "Reply Sent":
            is_true = data["client_token"] in accepted
        else:
            is_true = (data["client_token"] or data["message_id"], data["reason"]) in dead
        if not is_true:
            false.append(event["detail"]["metadata"]["id"])
    return false


def missing_events(
    events: Iterable[Mapping[str, Any]], accepted: Collection[str], letters: Iterable[Letter], lost: int
) -> list[str]:
    """Return the tokens of replies that have no event; none if the function reports at least as many events lost."""
    reported = {event["detail"]["data"]["client_token"] or event["detail"]["data"]["message_id"] for event in events}
    missing = sorted({*accepted, *(letter.token for letter in letters)} - reported)
    return missing if len(missing) > lost else []


def lost_events(log_lines: Iterable[str]) -> int:
    """Count the events that the event bus didn't take, as the function's log reports them."""
    return sum(json.loads(line)["outcomes"] for line in log_lines if '"outcomes_lost"' in line)
