"""Letters as JSON: a line of `dlq list --json`, and a line of an export, with body and attributes bit for bit."""

from __future__ import annotations

import base64
import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from contract.client_token import iso
from contract.dead_letter import DoesNotFitError, renewed_attributes
from contract.message_attributes import SYSTEM_ATTRIBUTES
from courier.queues.letter import MOVED_BY_SQS, printable_identifier, without_stale_reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from courier.queues.letter import Letter


class ImportLineError(ValueError):
    """A line is not one of an export; the text says what is wrong with it, and quotes nothing."""


class Exported(NamedTuple):
    """What an import puts on the queue, and into S3 where the body points there."""

    body: str
    attributes: dict[str, MessageAttributeValueTypeDef]
    system_attributes: dict[str, str]
    payload: str | None


def summary(letter: Letter) -> dict[str, Any]:
    """What a list shows: nothing of the reply but its contact id, and that only if it is an identifier."""
    return {
        "id": letter.id,
        "reason": printable_identifier(letter.reason),
        "contact_id": printable_identifier(letter.contact_id),
        "client_token": printable_identifier(letter.token),
        "sent_at": iso(letter.sent_at),
        "first_tried_at": _tried(letter),
    }


def with_body(letter: Letter) -> dict[str, Any]:
    """A list's line, and all else that the letter has; attributes in the form of the AWS command line."""
    attributes = {name: _written(value) for name, value in letter.attributes.items()}
    system = dict(letter.system_attributes)
    payload = {} if letter.payload is None else {"payload": letter.payload}
    return {**summary(letter), "body": letter.body, **payload, "attributes": attributes, "system_attributes": system}


def json_line(members: Mapping[str, Any]) -> str:
    """One line of JSON, in ASCII: it comes back the same from any terminal, pipe and editor."""
    return json.dumps(members)


def read_exported(text: bytes) -> Exported:
    """Read a line of an export.

    A letter gets a new id on import, so its first one becomes an attribute: the token stays the same.

    Raises:
        ImportLineError: The line is not one of an export.
    """
    try:
        line = json.loads(text)
        json.dumps(line, ensure_ascii=False).encode()  # JSON can spell half a surrogate pair; no message can
        match line:
            case {"id": str(letter_id), "body": str(body), "attributes": dict(attributes)} if letter_id and body:
                read = {name: _read(value) for name, value in attributes.items()}
                if line.get("reason") == MOVED_BY_SQS:
                    read = without_stale_reason(read)
                system = _read_system(line.get("system_attributes", {}))
                tried, payload = line.get("first_tried_at"), line.get("payload")
            case _:
                raise ImportLineError('is not a letter: {"id": …, "body": …, "attributes": {…}}')
        kept = renewed_attributes(letter_id, body, read, first_tried_at=tried if isinstance(tried, str) else None)
    except DoesNotFitError:
        raise ImportLineError("leaves no room for its token: SQS takes ten attributes, and 1 MiB in all") from None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as wrong:
        if isinstance(wrong, ImportLineError):
            raise
        raise ImportLineError("is not JSON, or its attributes are not in the form of an export") from None
    return Exported(body, kept, system, payload if isinstance(payload, str) else None)


def _tried(letter: Letter) -> str | None:
    """When Connect may first have been asked. What cannot be read is left to the letter's own attribute."""
    tried = letter.first_tried_at
    return None if tried is None or tried == -math.inf else iso(tried)


def _written(value: MessageAttributeValueTypeDef) -> dict[str, str]:
    if "BinaryValue" in value:
        return {"DataType": value["DataType"], "BinaryValue": base64.b64encode(bytes(value["BinaryValue"])).decode()}  # type: ignore[arg-type]  # what is received is bytes
    return {"DataType": value["DataType"], "StringValue": value["StringValue"]}


def _read_system(attributes: Mapping[str, Any]) -> dict[str, str]:
    system: dict[str, str] = {name: value for name, value in attributes.items() if name in SYSTEM_ATTRIBUTES}
    if not all(isinstance(value, str) for value in system.values()):
        raise TypeError
    return system


def _read(value: Mapping[str, Any]) -> MessageAttributeValueTypeDef:
    match value:
        case {"DataType": str(kind), "BinaryValue": str(encoded)}:
            return {"DataType": kind, "BinaryValue": base64.b64decode(encoded, validate=True)}
        case {"DataType": str(kind), "StringValue": str(text)}:
            return {"DataType": kind, "StringValue": text}
    raise ValueError
