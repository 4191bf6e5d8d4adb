"""A body larger than a message: it is an object in S3, and the message holds a pointer to it.

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
"""The attribute that says that a message holds a pointer: the payload's size in bytes, of type Number."""
POINTER = "software.amazon.payloadoffloading.PayloadS3Pointer"
POINTERS = (POINTER, "com.amazon.sqs.javamessaging.MessageS3Pointer")
MAX_PAYLOAD_BYTES = 6 * 5_242_880 + MAX_BYTES
"""The longest text that Connect takes, every character of it written as `\\uXXXX`, and as much around it as a message
may have."""
MAX_POINTER = 16_384
"""Characters, more than any bucket and key have."""
_TEXT = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"?', re.DOTALL)


class PayloadError(ValueError):
    """A pointer cannot be followed, or what it points to is not a payload; the text says why and quotes nothing."""


class Pointer(NamedTuple):
    """Where a payload is.

    Attributes:
        bucket: The S3 bucket.
        key: The object in it.
        size: Bytes that the object has to have.
    """

    bucket: str
    key: str
    size: int


def pointer(body: str, attributes: Attributes) -> Pointer | None:
    """The pointer in a message; None if its body is the reply itself.

    Raises:
        PayloadError: It is half a pointer: the body without the attribute or the attribute without the body.
    """
    sizes = [attributes[name] for name in PAYLOAD_SIZES if name in attributes]
    members = _members(body)
    if members is None and not sizes:
        return None
    if members is None:
        raise PayloadError(f"the attribute {PAYLOAD_SIZE} says that the body is in S3, and the body does not say where")
    size = sizes[0].get("StringValue", "") if len(sizes) == 1 else ""
    if not (size.isascii() and size.isdecimal() and len(size) <= len(str(MAX_PAYLOAD_BYTES))):
        raise PayloadError(f"the body points to S3, and no single attribute {PAYLOAD_SIZE} gives its size in bytes")
    match members:
        case {"s3BucketName": str(bucket), "s3Key": str(key)} if bucket and key:
            return Pointer(bucket, key, int(size))
    raise PayloadError("the pointer to S3 does not name s3BucketName and s3Key")


def point_to(bucket: str, key: str, size: int) -> tuple[str, dict[str, MessageAttributeValueTypeDef]]:
    """The body and the attribute of a message whose payload is this object."""
    body = json.dumps([POINTER, {"s3BucketName": bucket, "s3Key": key}])
    return body, {PAYLOAD_SIZE: {"DataType": "Number", "StringValue": str(size)}}


def payload_text(content: bytes) -> str:
    """The body that an object holds.

    Raises:
        PayloadError: It is not UTF-8, it is another pointer, or so much of it is not text that reading it as JSON could
            take all of the memory.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise PayloadError("the object in S3 is not UTF-8") from None
    if _members(text) is not None:
        raise PayloadError("the object in S3 is a pointer as well")
    if len(text) - sum(found.end(1) - found.start(1) for found in _TEXT.finditer(text)) > MAX_BYTES:
        raise PayloadError("the object in S3 has more than 1 MiB besides its texts: a reply has not")
    return text


def _members(body: str) -> dict[str, object] | None:
    """What a pointer's body says; None if it is not one."""
    if len(body) > MAX_POINTER or not body.lstrip().startswith("["):
        return None
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    match parsed:
        case [str(name), dict(members)] if name in POINTERS:
            return members
    return None
