"""Messages that `courier` puts on a queue: what a letter is sent as, batches, and a letter's move between queues."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from contract.client_token import CLIENT_TOKEN, FIRST_TRIED_AT, MESSAGE_ID, iso
from contract.dead_letter import DETAIL, REASON, DoesNotFitError, renewed_attributes, resent_attributes
from contract.message_attributes import MAX_BYTES, message_bytes, string, string_value, system_attribute_params
from courier import output
from courier.dead_letters import MAX_ENTRIES, failed_entries
from courier.interrupts import uninterrupted
from courier.output import Failure
from courier.payloads import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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
        name: What a person calls it: a letter's id, or a line of a file.
        body: The message body.
        attributes: The message attributes.
        system_attributes: The system attributes that it keeps on every queue, by name.
    """

    name: str
    body: str
    attributes: Mapping[str, MessageAttributeValueTypeDef]
    system_attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes that SQS counts."""
        return message_bytes(self.body, self.attributes)


def message_for_reply_queue(letter: Letter, now: float, *, force: bool = False) -> Outgoing | Failure:
    """The message that puts a letter back on the queue of replies, under the token it has always had.

    Args:
        letter: The letter.
        now: Seconds since the epoch.
        force: Whether to count a letter whose token expired as first tried now. The function refuses it otherwise.
    """
    forced = {FIRST_TRIED_AT: string(iso(now))} if force and letter.token_expired(now) else {}
    given = {**letter.attributes, **forced}
    try:
        attributes = resent_attributes(letter.id, letter.body, given, first_tried_at=_first_tried_at(letter))
    except DoesNotFitError:
        return Failure(letter.id, "leaves no room for its token inside SQS's 1 MiB; make it smaller with dlq edit")
    return Outgoing(letter.id, letter.body, attributes, letter.system_attributes)


def message_for_dead_letter_queue(letter: Letter) -> Outgoing | Failure:
    """The message that puts a letter on the dead-letter queue again, with all its attributes."""
    given = without_stale_reason(letter.attributes) if letter.was_moved else letter.attributes
    try:
        attributes = renewed_attributes(letter.id, letter.body, given, first_tried_at=_first_tried_at(letter))
    except DoesNotFitError:
        why = "a copy has no room for its token beside all its attributes; replay or edit the letter instead"
        return Failure(letter.id, why)
    return Outgoing(letter.id, letter.body, attributes, letter.system_attributes)


def without_stale_reason(
    attributes: Mapping[str, MessageAttributeValueTypeDef],
) -> dict[str, MessageAttributeValueTypeDef]:
    """The attributes of a letter that SQS moved, without the reason of an earlier time on the dead-letter queue."""
    return {name: value for name, value in attributes.items() if name not in {REASON, DETAIL}}


def check_size(message: Outgoing) -> Outgoing | Failure:
    """The message, if it is small enough for SQS."""
    if message.size <= MAX_BYTES:
        return message
    return Failure(message.name, f"is {message.size - MAX_BYTES} bytes over SQS's 1 MiB; make it smaller")


def group_by_size(messages: Iterable[Outgoing]) -> Iterator[list[Outgoing]]:
    """Group messages, each at most MAX_BYTES large, into batches that SQS accepts."""
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
    """Send a batch; return the messages that SQS refused.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: SQS may have accepted them.
    """
    answer = sqs.send_message_batch(
        QueueUrl=queue_url,
        Entries=[
            {
                "Id": str(n),
                "MessageBody": message.body,
                "MessageAttributes": message.attributes,
                **system_attribute_params(message.system_attributes),  # type: ignore[typeddict-item]  # mypy wants every key
            }
            for n, message in enumerate(batch)
        ],
    )
    return [
        Failure(batch[int(entry["Id"])].name, f"SQS refused it: {entry['Code']}") for entry in failed_entries(answer)
    ]


def move(  # noqa: PLR0913 - the last by name
    account: Account,
    reader: DeadLetterReader,
    queue_url: str,
    letters: Sequence[Letter],
    messages: Sequence[Outgoing | Failure],
    *,
    on_sent: Callable[[Letter], object] = lambda _letter: None,
) -> list[Failure]:
    """Send letters to a queue, then delete them from the dead-letter queue; return those that were not moved.

    If it is cut off anywhere, each letter is on at least one of the queues, under one token: Connect sends it once.

    Args:
        account: Where.
        reader: Holds the letters.
        queue_url: The queue that gets them.
        letters: Up to ten.
        messages: For each letter the message to send, or why it can't be sent.
        on_sent: Called for each letter that SQS accepted, whether or not it can be deleted afterwards.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: A call failed. A letter may be on both queues.
    """
    ready = [_extend_payload(each, account.payloads) if isinstance(each, Outgoing) else each for each in messages]
    failures = [each for each in ready if isinstance(each, Failure)]
    for batch in group_by_size(each for each in ready if isinstance(each, Outgoing)):
        refused = send(account.sqs, queue_url, batch)
        failures += refused
        accepted = {message.name for message in batch} - {each.name for each in refused}
        sent = [letter for letter in letters if letter.id in accepted]
        for letter in sent:
            on_sent(letter)
        for each in reader.delete(sent):
            why = f"sent, but SQS did not delete it here ({each.why}); it is safe to run this again"
            failures.append(Failure(each.name, why))
    return failures


def send_messages(  # noqa: PLR0913 - the last by name
    account: Account,
    queue_url: str,
    messages: Iterable[Outgoing],
    done: str,
    action: Action,
    *,
    resume_hint: str = "",
) -> int:
    """Send the messages of a file in their order, report what SQS refused, and return the exit code.

    Args:
        account: Where.
        queue_url: The queue.
        messages: What to send.
        done: What the report calls a message that was sent, such as "imported".
        action: The journal's.
        resume_hint: How to go on after an interruption.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: A call failed.
    """
    sent = 0
    failures: list[Failure] = []
    last = ""
    try:
        for batch in group_by_size(messages):
            with uninterrupted():  # an interruption must not come between a call and its record
                action.record_tokens([_token(message) for message in batch])
                refused = send(account.sqs, queue_url, batch)
                sent += len(batch) - len(refused)
                failures += refused
                last = batch[-1].name
    except (BotoCoreError, ClientError, KeyboardInterrupt):
        where = f"everything up to {last} is {done}" if last else "in the first batch"
        output.fail(f"stopped: {where}.{resume_hint}")
        raise
    finally:
        action.outcome = {done: sent, "not_done": len(failures)}
        output.say(f"{sent} {done}.")
        output.show_failures(failures)
    return output.EXIT_PARTIAL if failures else output.EXIT_OK


def _first_tried_at(letter: Letter) -> str | None:
    """When a letter was first tried, if its attributes do not say."""
    return None if letter.default_first_tried_at is None else iso(letter.default_first_tried_at)


def _extend_payload(message: Outgoing, payloads: Payloads) -> Outgoing | Failure:
    """The message, once S3 keeps its object for the full time again."""
    try:
        payloads.extend(message.body, message.attributes)
    except UnreadableError as error:
        return Failure(message.name, f"its body in S3 {error}")
    return message


def _token(message: Outgoing) -> str | None:
    return string_value(message.attributes, CLIENT_TOKEN) or string_value(message.attributes, MESSAGE_ID)
