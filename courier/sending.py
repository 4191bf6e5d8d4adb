"""Messages on their way to a queue: what a letter is sent as, and batches, each message of which may fail alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from contract.client_token import CLIENT_TOKEN, MESSAGE_ID
from contract.dead_letter import DoesNotFitError, renewed_attributes, resent_attributes
from contract.message_attributes import MAX_BYTES, message_bytes, sent_with, text_of
from contract.token_age import FIRST_TRIED_AT, iso
from courier import output
from courier.dead_letters import MAX_ENTRIES, MOVED_BY_SQS, _failed, _why, without_stale_reason
from courier.output import EXIT_OK, EXIT_PARTIAL, Failure
from courier.payloads import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from courier.aws import Account
    from courier.dead_letters import DeadLetterReader, Letter
    from courier.journal import Action
    from courier.payloads import Payloads


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send.

    Attributes:
        name: What people know it by: a letter's id, or a line of a file.
        body: The message body.
        attributes: The message attributes.
        system_attributes: The system attributes that it keeps wherever it goes, by name.
    """

    name: str
    body: str
    attributes: Mapping[str, MessageAttributeValueTypeDef]
    system_attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes that SQS counts."""
        return message_bytes(self.body, self.attributes)


NO_ROOM = "its token has no room beside all its attributes, so it could not come back as it is: replay or edit it"


def check_size(message: Outgoing) -> Outgoing | Failure:
    """The message, if SQS takes one of its size."""
    if message.size <= MAX_BYTES:
        return message
    return Failure(message.name, f"it is {message.size - MAX_BYTES} bytes over SQS's 1 MiB: make it smaller")


def message_for_replies(
    letter: Letter, now: float, *, force: bool = False, body: str | None = None
) -> Outgoing | Failure:
    """A letter as it is sent again, or why it cannot be.

    Args:
        letter: The letter.
        now: Seconds since the epoch.
        force: Whether an operator sends it although its token may be too old; the function holds it back otherwise.
        body: Another body, from an edit.
    """
    given, first_tried_at = letter.attributes, _first_tried_at(letter)
    if force and letter.token_expired(now):  # the function would refuse it
        given = {name: value for name, value in given.items() if name != FIRST_TRIED_AT}
        first_tried_at = iso(now)
    text = letter.body if body is None else body
    try:
        attributes = resent_attributes(letter.id, text, given, first_tried_at=first_tried_at)
    except DoesNotFitError:
        return Failure(letter.id, "leaves no room for its token inside SQS's 1 MiB: make it smaller (dlq edit)")
    return Outgoing(letter.id, text, attributes, letter.system_attributes)


def message_for_dead_letters(letter: Letter) -> Outgoing | Failure:
    """A letter as it is put on the dead-letter queue again, with all it has, or why it cannot be."""
    kept = without_stale_reason(letter.attributes) if letter.was_moved else letter.attributes
    try:
        attributes = renewed_attributes(letter.id, letter.body, kept, first_tried_at=_first_tried_at(letter))
    except DoesNotFitError:
        return Failure(letter.id, NO_ROOM)
    return Outgoing(letter.id, letter.body, attributes, letter.system_attributes)


def payload_failure(letter: Letter) -> Failure | None:
    """What to tell of a letter whose body in S3 could not be read now; None if all of it is there."""
    return (
        Failure(letter.id, "its body in S3 cannot be had now: do it again later")
        if letter.payload_unavailable
        else None
    )


def _first_tried_at(letter: Letter) -> str | None:
    """When it was first tried, where the letter itself does not say."""
    return iso(letter.sent_at) if letter.reason == MOVED_BY_SQS else None


def batches(messages: Iterable[Outgoing]) -> Iterator[list[Outgoing]]:
    """Put messages, each of them no larger than MAX_BYTES, into batches that SQS takes."""
    batch: list[Outgoing] = []
    room = MAX_BYTES
    for message in messages:
        if batch and (len(batch) == MAX_ENTRIES or message.size > room):
            yield batch
            batch, room = [], MAX_BYTES
        batch.append(message)
        room -= message.size
    if batch:
        yield batch


def send(sqs: SQSClient, queue_url: str, batch: Sequence[Outgoing]) -> list[Failure]:
    """Send a batch; return the messages that SQS did not take.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: Whether it took them is not known.
    """
    answer = sqs.send_message_batch(
        QueueUrl=queue_url,
        Entries=[
            {
                "Id": str(n),
                "MessageBody": message.body,
                "MessageAttributes": message.attributes,
                **sent_with(message.system_attributes),  # type: ignore[typeddict-item]  # mypy wants every key
            }
            for n, message in enumerate(batch)
        ],
    )
    return [
        Failure(batch[int(failed["Id"])].name, f"SQS did not take it: {_why(failed)}") for failed in _failed(answer)
    ]


def send_messages(  # noqa: PLR0913, PLR0917 - each is another one's business
    account: Account, queue_url: str, messages: Iterable[Outgoing], done: str, action: Action, after_a_stop: str = ""
) -> int:
    """Send messages to a queue, in their order; name those that it did not take, and return the exit code.

    Args:
        account: Where.
        queue_url: The queue.
        messages: What to send.
        done: What was done with them, in a word.
        action: The journal's.
        after_a_stop: What to do if it is cut off.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: A call failed.
    """
    taken = 0
    failures: list[Failure] = []
    batch: list[Outgoing] = []
    try:
        for batch in batches(messages):
            action.record_tokens([_token(message) for message in batch])
            refused = send(account.sqs, queue_url, batch)
            taken += len(batch) - len(refused)
            failures += refused
    except (BotoCoreError, ClientError, KeyboardInterrupt):
        output.fail(
            f"stopped at {batch[0].name if batch else 'the beginning'}: what stands before it is {done}.{after_a_stop}"
        )
        raise
    finally:
        action.outcome = {done: taken, "not_done": len(failures)}
        output.say(f"{taken} {done}.")
        output.show_failures(failures)
    return EXIT_PARTIAL if failures else EXIT_OK


def _token(message: Outgoing) -> str | None:
    return text_of(message.attributes, CLIENT_TOKEN) or text_of(message.attributes, MESSAGE_ID)


def move(
    reader: DeadLetterReader, queue_url: str, letters: Sequence[Letter], offers: Sequence[Outgoing | Failure]
) -> list[Failure]:
    """Send letters to a queue, then delete them where they are held; return those that were not sent, or not deleted.

    Args:
        reader: Holds them.
        queue_url: Where to.
        letters: Up to ten.
        offers: Each as it is sent, or why it is not.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: A call failed. A letter may be in both places, under one token.
    """
    renewed = [_extend_payload(offer, reader.payloads) if isinstance(offer, Outgoing) else offer for offer in offers]
    failures = [offer for offer in renewed if isinstance(offer, Failure)]
    for batch in batches(offer for offer in renewed if isinstance(offer, Outgoing)):
        refused = send(reader.sqs, queue_url, batch)
        taken = {message.name for message in batch} - {each.name for each in refused}
        failures += refused
        failures += [
            Failure(each.name, f"sent, but SQS did not delete it here ({each.why}); doing it again is safe")
            for each in reader.delete([letter for letter in letters if letter.id in taken])
        ]
    return failures


def _extend_payload(offer: Outgoing, payloads: Payloads | None) -> Outgoing | Failure:
    """The message, once its object in S3 has all of its time before it."""
    try:
        if payloads is not None:
            payloads.extend(offer.body, offer.attributes)
    except UnreadableError as error:
        return Failure(offer.name, f"its body in S3 {error}")
    return offer
