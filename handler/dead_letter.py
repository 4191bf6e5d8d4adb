"""Puts a message on the dead-letter queue: the same body and attributes, its token, and why it is there."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from handler import client_token
from handler.verdict import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from handler.message import Message
    from handler.verdict import DeadLetter

MAX_ATTRIBUTES = 10
MAX_BYTES = 1_048_576
"""A message's body with the names, types and values of its attributes (Amazon SQS quotas)."""
MAX_DETAIL = 2_000
_NO_XML_CHARACTER = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
OWN = (client_token.ATTRIBUTE, "Reason", "Detail", "DeadLetteredAt")


class DoesNotFitError(ValueError):
    """Even with no more than token and reason the message would be larger than SQS takes."""


def send(sqs: SQSClient, queue_url: str, message: Message, verdict: DeadLetter, now: float) -> None:
    """Put the message on the dead-letter queue. Return only when SQS has taken it.

    Args:
        sqs: The client.
        queue_url: The dead-letter queue.
        message: The message as it was received.
        verdict: Why it is dead-lettered.
        now: Seconds since the epoch.

    Raises:
        DoesNotFitError: See there.
        botocore.exceptions.ClientError, BotoCoreError: The queue did not take it.
    """
    attributes = fitting_attributes(message, verdict, now)
    sqs.send_message(QueueUrl=queue_url, MessageBody=message.body, MessageAttributes=attributes)


def has_room(message: Message) -> bool:
    """Whether the message could be put on a dead-letter queue with its token and any reason."""
    return len(message.body.encode()) + size(_must(message, max(Reason, key=len))) <= MAX_BYTES


def fitting_attributes(message: Message, verdict: DeadLetter, now: float) -> dict[str, MessageAttributeValueTypeDef]:
    """The message's attributes and ours, inside SQS's limits.

    Token and reason are always there. Where room is short, first DeadLetteredAt and Detail stay away, then attributes
    of the message's own, and Detail names those.

    Raises:
        DoesNotFitError: The body leaves no room for even token and reason.
    """
    body_bytes = len(message.body.encode())
    for attributes in _offers(message, verdict, now):
        if len(attributes) <= MAX_ATTRIBUTES and body_bytes + size(attributes) <= MAX_BYTES:
            return attributes
    raise DoesNotFitError


def _offers(message: Message, verdict: DeadLetter, now: float) -> Iterator[dict[str, MessageAttributeValueTypeDef]]:
    """Attributes to send with the message, the most complete first."""
    given = {
        name: attribute
        for name, value in message.attributes.items()
        if name not in OWN and (attribute := sendable(value)) is not None
    }
    must = _must(message, verdict.reason)
    at = {"DeadLetteredAt": _string(datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"))}
    yield given | must | _detail(verdict.detail) | at
    yield given | must | _detail(verdict.detail)
    yield given | must
    for count in reversed(range(len(given))):
        kept, left_out = list(given)[:count], list(given)[count:]
        note = f"Left out, because SQS's limits leave no room: {', '.join(left_out)}. {verdict.detail}"
        yield {name: given[name] for name in kept} | must | _detail(note)
    yield must


def size(attributes: Mapping[str, MessageAttributeValueTypeDef]) -> int:
    """Bytes that SQS counts for the attributes: names, types and values."""
    return sum(
        len(name.encode())
        + len(value["DataType"].encode())
        + len(cast("bytes", value["BinaryValue"]) if "BinaryValue" in value else value["StringValue"].encode())
        for name, value in attributes.items()
    )


def sendable(attribute: Mapping[str, Any]) -> MessageAttributeValueTypeDef | None:
    """An attribute in SendMessage's form, from its form in a Lambda event; None if SQS would refuse it as empty."""
    kind, text, binary = (attribute.get(part) for part in ("dataType", "stringValue", "binaryValue"))
    if not isinstance(kind, str) or not kind:
        return None
    if isinstance(binary, str) and (value := _decoded(binary)):
        return {"DataType": kind, "BinaryValue": value}
    if isinstance(text, str) and text:
        return {"DataType": kind, "StringValue": text}
    return None


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def xml_characters(text: str) -> str:
    """The text with U+FFFD for what SQS does not take: anything that is no character of XML 1.0."""
    return _NO_XML_CHARACTER.sub("\ufffd", text)


def _must(message: Message, reason: Reason) -> dict[str, MessageAttributeValueTypeDef]:
    """Token and reason. A token attribute stays as it came, even if it is no token: a person has to see it."""
    token = sendable(message.attributes.get(client_token.ATTRIBUTE, {})) or _string(message.id)
    return {client_token.ATTRIBUTE: token, "Reason": _string(reason)}


def _detail(text: str) -> dict[str, MessageAttributeValueTypeDef]:
    return {"Detail": _string(xml_characters(text)[:MAX_DETAIL])}


def _string(text: str) -> MessageAttributeValueTypeDef:
    return {"DataType": "String", "StringValue": text}
