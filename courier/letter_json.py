"""Letters as JSON: a line of `dlq list --json`, and a line of an export, with body and attributes bit for bit."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from contract.dead_letter import resent_attributes
from courier.letters import printable_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from courier.letters import Letter


class ImportLineError(ValueError):
    """A line is not one of an export; the text says what is wrong with it, and quotes nothing."""


class Exported(NamedTuple):
    """What an import puts on the queue."""

    body: str
    attributes: dict[str, MessageAttributeValueTypeDef]


def summary(letter: Letter) -> dict[str, Any]:
    """What a list shows: nothing of the reply but its contact id, and that only if it is an identifier."""
    return {
        "id": letter.id,
        "reason": printable_identifier(letter.reason),
        "contact_id": printable_identifier(letter.contact_id),
        "client_token": printable_identifier(letter.token),
        "sent_at": iso(letter.sent_at),
        "dead_lettered_at": None if letter.dead_lettered_at is None else iso(letter.dead_lettered_at),
    }


def with_body(letter: Letter) -> dict[str, Any]:
    """A list's line, and all else that the letter has; attributes in the form of the AWS command line."""
    attributes = {name: _written(value) for name, value in letter.attributes.items()}
    return {**summary(letter), "body": letter.body, "attributes": attributes}


def json_line(members: Mapping[str, Any]) -> str:
    """One line of JSON, in ASCII: it comes back the same from any terminal, pipe and editor."""
    return json.dumps(members)


def read_exported(text: bytes) -> Exported:
    """Read a line of an export.

    A letter without the attribute ClientToken has its message id as its token. It gets a new id on import, so the
    attribute is set to the old one: the token stays the same.

    Raises:
        ImportLineError: The line is not one of an export.
    """
    try:
        match json.loads(text):
            case {"id": str(letter_id), "body": str(body), "attributes": dict(attributes)} if letter_id and body:
                read = {name: _read(value) for name, value in attributes.items()}
            case _:
                raise ImportLineError('is not a letter: {"id": …, "body": …, "attributes": {…}}')
    except (KeyError, TypeError, ValueError, RecursionError) as wrong:
        if isinstance(wrong, ImportLineError):
            raise
        raise ImportLineError("is not JSON, or its attributes are not in the form of an export") from None
    return Exported(body, resent_attributes(letter_id, "", read))


def iso(seconds: float) -> str:
    """A time (seconds since the epoch) as people and programs read it: 2026-11-22T08:15:00.000+00:00."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _written(value: MessageAttributeValueTypeDef) -> dict[str, str]:
    if "BinaryValue" in value:
        return {"DataType": value["DataType"], "BinaryValue": base64.b64encode(bytes(value["BinaryValue"])).decode()}  # type: ignore[arg-type]  # what is received is bytes
    return {"DataType": value["DataType"], "StringValue": value["StringValue"]}


def _read(value: Mapping[str, Any]) -> MessageAttributeValueTypeDef:
    match value:
        case {"DataType": str(kind), "BinaryValue": str(encoded)}:
            return {"DataType": kind, "BinaryValue": base64.b64decode(encoded, validate=True)}
        case {"DataType": str(kind), "StringValue": str(text)}:
            return {"DataType": kind, "StringValue": text}
    raise ValueError
