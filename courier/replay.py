"""Puts letters back on the queue of replies: sent before deleted, under the token that each has always had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from courier import sending
from courier.letters import DETAIL, MOVED_BY_SQS, OURS, REASON, TOKEN, string
from courier.sending import MAX_ATTRIBUTES, MAX_BYTES, Left, Outgoing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from courier.aws import Queues
    from courier.held_letters import Holding
    from courier.letters import Letter

TOKEN_MEMORY_SECONDS = 7 * 86_400
"""How long Connect remembers a client token: AWS says so for voice and chat contacts, and nothing for email."""
DRAFT_SECONDS = 12 * 3_600
"""How long a draft lives in Connect by default."""
MOVED_BY_SQS_REASON = "RetriesExhausted"
"""What a letter without a reason is replayed with: it has been received, so it may have been sent. The function takes
"token already used" (409) for "already sent" only where it sees that; from a message that seems new it would take it
for another reply's token, and dead-letter a reply that was sent."""
MOVED_BY_SQS_DETAIL = "SQS itself moved it here, after more receives than the queue allows."


def too_old(letter: Letter, now: float) -> bool:
    """Whether Connect may have forgotten the token, so that a reply that was sent would be sent again."""
    return now - letter.waiting_since > TOKEN_MEMORY_SECONDS


def outgoing(letter: Letter) -> Outgoing | Left:
    """What is sent for a letter, or why nothing can be."""
    return sendable(Outgoing(letter.id, letter.body, attributes_of(letter)))


def attributes_of(letter: Letter) -> dict[str, MessageAttributeValueTypeDef]:
    """A letter's attributes as they are, with token and reason where SQS moved it itself.

    The reason stays on it, since it tells the function that the reply may have been sent before.
    """
    attributes = dict(letter.attributes)
    if TOKEN not in attributes:
        attributes[TOKEN] = string(letter.id)
    if letter.reason == MOVED_BY_SQS:
        attributes |= {REASON: string(MOVED_BY_SQS_REASON), DETAIL: string(MOVED_BY_SQS_DETAIL)}
    return ten(attributes)


def sendable(message: Outgoing) -> Outgoing | Left:
    """The message, if SQS takes one of its size."""
    if message.size <= MAX_BYTES:
        return message
    over = message.size - MAX_BYTES
    return Left(message.name, f"with token and reason it is {over} bytes over SQS's 1 MiB: make it smaller (dlq edit)")


def left_out(letter: Letter, message: Outgoing) -> list[str]:
    """The letter's own attributes that found no room."""
    return [name for name in letter.attributes if name not in message.attributes]


def ten(attributes: dict[str, MessageAttributeValueTypeDef]) -> dict[str, MessageAttributeValueTypeDef]:
    """No more attributes than SQS takes: the last of the producer's own stay away, and Detail names them."""
    over = len(attributes) - MAX_ATTRIBUTES
    if over <= 0:
        return attributes
    own = [name for name in attributes if name not in OURS][-over:]
    note = f"Left out, because SQS's limits leave no room: {', '.join(own)}. {MOVED_BY_SQS_DETAIL}"
    return {name: value for name, value in attributes.items() if name not in own} | {DETAIL: string(note)}


@dataclass(frozen=True, slots=True)
class Replay:
    """Replays letters that are held.

    Attributes:
        sqs: The client.
        queues: From where to where.
        holding: What holds them.
    """

    sqs: SQSClient
    queues: Queues
    holding: Holding

    def __call__(self, letters: Sequence[Letter]) -> list[Left]:
        """Replay up to ten letters; return those that were not, or not wholly.

        Cut off at any point, every letter is on at least one of the two queues, under one token: Connect sends once.

        Raises:
            botocore.exceptions.ClientError, BotoCoreError: A call failed. What was sent has been sent: running it
                again sends a copy with the same token.
        """
        offers = {letter.id: outgoing(letter) for letter in letters}
        left = [offer for offer in offers.values() if isinstance(offer, Left)]
        for batch in sending.batches(offer for offer in offers.values() if isinstance(offer, Outgoing)):
            refused = sending.send(self.sqs, self.queues.replies, batch)
            taken = {message.name for message in batch} - {each.name for each in refused}
            sent = [letter for letter in letters if letter.id in taken]
            kept = sending.delete(self.sqs, self.queues.dead_letters, sent)
            self.holding.release([letter for letter in sent if letter.id not in {each.name for each in kept}])
            left += refused
            left += [Left(each.name, f"replayed, but SQS did not delete it here ({each.why}); "
                          "replaying it again is safe") for each in kept]  # fmt: skip
        return left
