"""A body that is larger than a message: an object in S3 holds the body, and the message points to the object.

The form is that of the Amazon SQS Extended Client, which producers use unmodified:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-managing-large-messages.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from contract.message_attributes import MAX_BYTES

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from contract.message_attributes import Attributes

PAYLOAD_SIZE = "ExtendedPayloadSize"
LEGACY_PAYLOAD_SIZE = "SQSLargePayloadSize"
PAYLOAD_SIZES = (PAYLOAD_SIZE, LEGACY_PAYLOAD_SIZE)
"""The attribute of a message that holds a pointer: the payload's size in bytes, of type Number."""
POINTER = "software.amazon.payloadoffloading.PayloadS3Pointer"
POINTERS = (POINTER, "com.amazon.sqs.javamessaging.MessageS3Pointer")
MAX_PAYLOAD_BYTES = 6 * 5_242_880 + MAX_BYTES
"""The longest body text that Connect takes, with each character written as `\\uXXXX`, and 1 MiB for the rest."""
MAX_POINTER_CHARACTERS = 16_384
"""More than any bucket and key have."""
_TEXT = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"?', re.DOTALL)


class PayloadError(ValueError):
    """A pointer can't be followed, or its object is not a reply. The text says why and quotes nothing."""


class Pointer(NamedTuple):
    """Where a payload is.

    Attributes:
        bucket: The S3 bucket.
        key: The object's key.
        size: Bytes that the object must have.
    """

    bucket: str
    key: str
    size: int


def parse_pointer(body: str, attributes: Attributes) -> Pointer | None:
    """Return the pointer in a message; None if its body is the reply itself.

    Raises:
        PayloadError: The message has only one of the two parts, the body or the attribute, or one is invalid.
    """
    sizes = [attributes[name] for name in PAYLOAD_SIZES if name in attributes]
    members = _pointer_members(body)
    if members is None and not sizes:
        return None
    if members is None:
        raise PayloadError(f"the message has the attribute {PAYLOAD_SIZE}, but its body is not a pointer to S3")
    size = sizes[0].get("StringValue", "") if len(sizes) == 1 else ""
    if not (size.isascii() and size.isdecimal() and len(size) <= len(str(MAX_PAYLOAD_BYTES))):
        raise PayloadError(f"the body points to S3, but no single attribute {PAYLOAD_SIZE} gives the size in bytes")
    match members:
        case {"s3BucketName": str(bucket), "s3Key": str(key)} if bucket and key:
            return Pointer(bucket, key, int(size))
    raise PayloadError("the pointer to S3 does not name s3BucketName and s3Key")


def pointer_message(bucket: str, key: str, size: int) -> tuple[str, dict[str, MessageAttributeValueTypeDef]]:
    """Return the body and the attributes of a message that points to an object."""
    body = json.dumps([POINTER, {"s3BucketName": bucket, "s3Key": key}])
    return body, {PAYLOAD_SIZE: {"DataType": "Number", "StringValue": str(size)}}


def decode_payload(content: bytes) -> str:
    """Return the body that an object holds.

    Raises:
        PayloadError: It is not UTF-8, it is another pointer, or it has so much besides its texts that parsing it as
            JSON could use up the function's memory.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise PayloadError("the object in S3 is not UTF-8") from None
    if _pointer_members(text) is not None:
        raise PayloadError("the object in S3 is another pointer")
    if len(text) - sum(found.end(1) - found.start(1) for found in _TEXT.finditer(text)) > MAX_BYTES:
        raise PayloadError("the object in S3 has more than 1 MiB besides its texts, which no reply has")
    return text


def _pointer_members(body: str) -> dict[str, object] | None:
    """Return the members of a pointer; None if the body is not a pointer."""
    if len(body) > MAX_POINTER_CHARACTERS or not body.lstrip().startswith("["):
        return None
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    match parsed:
        case [str(name), dict(members)] if name in POINTERS:
            return members
    return None
