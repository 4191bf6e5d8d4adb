"""What became of every reply of a run: counted from Connect's own record and the queues alone."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local.connect_control import ConnectControl
from local.redrive import messages
from local.stack import LocalCourier

LABEL = re.compile(r"reply-\d{4}")


@dataclass(frozen=True)
class Reply:
    """A reply of a run.

    Attributes:
        label: Its contact; it stands in the body, whatever else is wrong with that.
        body: The message body.
        kind: "sound"; "mended": its contact exists before the redrives; "unknown": it never does; "invalid".
        attributes: Message attributes, all of them strings.
    """

    label: str
    body: str
    kind: str
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Account:
    """What became of the replies of a run; each list holds labels.

    Attributes:
        sent: How many replies were sent.
        lost: Neither sent nor on the dead-letter queue.
        twice: Sent more than once.
        without_reason: On the dead-letter queue without a token or without a reason.
        dead_though_sound: On the dead-letter queue though nothing is wrong with them, or though they were sent.
        wrong_token: Connect was asked under more than one token.
    """

    sent: int
    lost: list[str]
    twice: list[str]
    without_reason: list[str]
    dead_though_sound: list[str]
    wrong_token: list[str]


def account(given: Sequence[Reply], courier: LocalCourier, connect: ConnectControl) -> Account:
    """Look where every reply is. The dead-letter queue is read to its end and stays as it is."""
    sent = Counter(email["contact_id"] for email in connect.sent)
    dead: set[str] = set()
    without_reason: set[str] = set()
    for letter in messages(courier.aws.sqs, courier.dead_letter_queue_url):
        label = LABEL.findall(letter["Body"])[0]
        dead.add(label)
        if not {"ClientToken", "Reason"} <= letter.get("MessageAttributes", {}).keys():
            without_reason.add(label)
    tokens = {(call["contact_id"], call["client_token"]) for call in connect.calls}
    asked = Counter(contact_id for contact_id, _ in tokens)
    sound = {reply.label for reply in given if reply.kind in {"sound", "mended"}}
    return Account(
        sent=len(sent),
        lost=[reply.label for reply in given if reply.label not in sent and reply.label not in dead],
        twice=[label for label, times in sent.items() if times > 1],
        without_reason=sorted(without_reason),
        dead_though_sound=sorted(dead & (sound | set(sent))),
        wrong_token=[label for label, times in asked.items() if times > 1],
    )
