"""Letters as JSON: a line of a list, and a line of an export with body and attributes bit for bit."""

from __future__ import annotations

import base64
import json
import math
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from contract.client_token import iso
from contract.dead_letter import DoesNotFitError, renewed_attributes
from contract.message_attributes import SYSTEM_ATTRIBUTES
from contract.payload import PAYLOAD_SIZES
from courier.dead_letters import MOVED_BY_SQS, printable_identifier
from courier.output import Failure, json_line
from courier.sending import Outgoing, message_for_dead_letter_queue, without_stale_reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from courier.aws import Account
    from courier.dead_letters import DeadLetterReader, Letter


class ImportLineError(ValueError):
    """A line does not come from an export. The text says why, and quotes nothing."""


class Exported(NamedTuple):
    """A letter from an export: the message, and the body that goes to S3 if the message points there."""

    body: str
    attributes: dict[str, MessageAttributeValueTypeDef]
    system_attributes: dict[str, str]
    payload: str | None


def summary_json(letter: Letter) -> dict[str, Any]:
    """A letter as `dlq list --json` shows it. Of the reply, it has the contact id only, if that is an identifier."""
    tried = letter.first_tried_at
    return {
        "id": letter.id,
        "reason": printable_identifier(letter.reason),
        "contact_id": printable_identifier(letter.contact_id),
        "client_token": letter.printable_token,
        "sent_at": iso(letter.sent_at),
        # An unreadable time stays in the letter's own attribute.
        "first_tried_at": None if tried is None or tried == -math.inf else iso(tried),
    }


def letter_json(letter: Letter) -> dict[str, Any]:
    """The whole letter. Attributes have the form of the AWS command line."""
    attributes = {name: _to_json(value) for name, value in letter.attributes.items()}
    payload = {} if letter.payload is None else {"payload": letter.payload}
    return {
        **summary_json(letter),
        "body": letter.body,
        **payload,
        "attributes": attributes,
        "system_attributes": dict(letter.system_attributes),
    }


@contextmanager
def private_file(path: Path) -> Iterator[TextIO]:
    """Create a file that only its owner can read, for replies.

    Raises:
        FileExistsError: The file exists.
        OSError: The file can't be created.
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            yield file
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk does not name the file
        raise


def write_then_delete(reader: DeadLetterReader, file: TextIO, letters: Sequence[Letter], because: str) -> list[Failure]:
    """Write up to ten letters to the disk, then delete them; return those that were not deleted.

    A letter that an import couldn't restore under its token is neither written nor deleted.

    Raises:
        OSError: The letters are not on the disk, and not deleted.
        botocore.exceptions.ClientError, BotoCoreError: SQS may have deleted the letters.
    """
    copies = [letter.payload_failure or message_for_dead_letter_queue(letter) for letter in letters]
    failures = [copy for copy in copies if isinstance(copy, Failure)]
    letters = [letter for letter, copy in zip(letters, copies, strict=True) if not isinstance(copy, Failure)]
    note = {"discarded_at": iso(time.time()), "because": because}
    file.writelines(json_line({**letter_json(letter), **note}) + "\n" for letter in letters)
    file.flush()
    os.fsync(file.fileno())
    return failures + [
        Failure(each.name, f"is in the file, but SQS did not delete it ({each.why}); discard it again")
        for each in reader.delete(letters)
    ]


def read_export(lines: Iterable[bytes]) -> Iterator[tuple[str, Exported] | Failure]:
    """Read the lines of an export, each with its name."""
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        name = f"line {number}"
        try:
            exported = parse_exported(text)
        except ImportLineError as error:
            yield Failure(name, str(error))
        else:
            yield name, exported


def parse_exported(text: bytes) -> Exported:
    """Read a line of an export.

    An imported letter has a new id, so its first id becomes an attribute, and its token stays the same.

    Raises:
        ImportLineError: The line does not come from an export.
    """
    try:
        line = json.loads(text)
        json.dumps(line, ensure_ascii=False).encode()  # JSON can spell half of a surrogate pair; no message can
        match line:
            case {"id": str(letter_id), "body": str(body), "attributes": dict(given)} if letter_id and body:
                attributes = {name: _from_json(value) for name, value in given.items()}
                if line.get("reason") == MOVED_BY_SQS:
                    attributes = without_stale_reason(attributes)
                system = _system_attributes(line.get("system_attributes", {}))
                tried, payload = line.get("first_tried_at"), line.get("payload")
            case _:
                raise ImportLineError('is not a letter: {"id": …, "body": …, "attributes": {…}}')
        first_tried_at = tried if isinstance(tried, str) else None
        kept = renewed_attributes(letter_id, body, attributes, first_tried_at=first_tried_at)
    except DoesNotFitError:
        why = "leaves no room for its token: SQS allows ten attributes, and 1 MiB in all"
        raise ImportLineError(why) from None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, ImportLineError):
            raise
        raise ImportLineError("is not JSON, or its attributes do not have the form of an export") from None
    return Exported(body, kept, system, payload if isinstance(payload, str) else None)


def imported_message(account: Account, name: str, exported: Exported) -> Outgoing:
    """The message for the dead-letter queue. A body that was in S3 is stored there again, under a new key."""
    if exported.payload is None:
        return Outgoing(name, exported.body, exported.attributes, exported.system_attributes)
    body, pointer = account.payloads.put(exported.payload)
    own = {each: value for each, value in exported.attributes.items() if each not in PAYLOAD_SIZES}
    return Outgoing(name, body, own | pointer, exported.system_attributes)


def _to_json(value: MessageAttributeValueTypeDef) -> dict[str, str]:
    if "BinaryValue" in value:
        return {"DataType": value["DataType"], "BinaryValue": base64.b64encode(bytes(value["BinaryValue"])).decode()}  # type: ignore[arg-type]  # what is received is bytes
    return {"DataType": value["DataType"], "StringValue": value["StringValue"]}


def _from_json(value: Mapping[str, Any]) -> MessageAttributeValueTypeDef:
    match value:
        case {"DataType": str(kind), "BinaryValue": str(encoded)}:
            return {"DataType": kind, "BinaryValue": base64.b64decode(encoded, validate=True)}
        case {"DataType": str(kind), "StringValue": str(text)}:
            return {"DataType": kind, "StringValue": text}
    raise ValueError


def _system_attributes(given: Mapping[str, Any]) -> dict[str, str]:
    system: dict[str, str] = {name: value for name, value in given.items() if name in SYSTEM_ATTRIBUTES}
    if not all(isinstance(value, str) for value in system.values()):
        raise TypeError
    return system
