"""SQS message attributes in the form of SendMessage, and SQS's limits on a message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypedDict, cast

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, MessageSystemAttributeValueTypeDef

Attributes = Mapping[str, "MessageAttributeValueTypeDef"]


class SystemAttributes(TypedDict, total=False):
    """Parameters of SendMessage beside body and message attributes."""

    MessageGroupId: str
    MessageSystemAttributes: Mapping[Literal["AWSTraceHeader"], MessageSystemAttributeValueTypeDef]


MAX_ATTRIBUTES = 10
MAX_BYTES = 1_048_576
"""A message's body with the names, types and values of its attributes (Amazon SQS quotas)."""
_NOT_XML_CHARACTER = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


MESSAGE_GROUP_ID: Literal["MessageGroupId"] = "MessageGroupId"
TRACE_HEADER: Literal["AWSTraceHeader"] = "AWSTraceHeader"
SYSTEM_ATTRIBUTES = (MESSAGE_GROUP_ID, TRACE_HEADER)
"""They go wherever the message goes: the tenant whose share of the queue it takes (fair queues), and its trace."""


def string(text: str) -> MessageAttributeValueTypeDef:
    """An attribute of type String."""
    return {"DataType": "String", "StringValue": text}


def text_of(attributes: Attributes, name: str) -> str | None:
    """An attribute's text; None if it is missing or not of type String (custom types such as String.x count)."""
    attribute = attributes.get(name)
    if attribute is None or attribute["DataType"].partition(".")[0] != "String":
        return None
    return attribute.get("StringValue")


def sqs_takes(attribute: MessageAttributeValueTypeDef) -> bool:
    """Whether the attribute has a type and a value: SQS refuses empty ones."""
    return bool(attribute["DataType"] and (attribute.get("StringValue") or attribute.get("BinaryValue")))


def message_bytes(body: str, attributes: Attributes) -> int:
    """Bytes that SQS counts for a message: the body, and names, types and values of the attributes."""
    return len(body.encode()) + sum(
        len(name.encode())
        + len(value["DataType"].encode())
        + len(cast("bytes", value["BinaryValue"]) if "BinaryValue" in value else value["StringValue"].encode())
        for name, value in attributes.items()
    )


def sent_with(system: Mapping[str, str]) -> SystemAttributes:
    """The parameters of SendMessage that give a message the system attributes of an earlier one."""
    parameters: SystemAttributes = {}
    if group := system.get(MESSAGE_GROUP_ID):
        parameters["MessageGroupId"] = group
    if trace := system.get(TRACE_HEADER):
        parameters["MessageSystemAttributes"] = {TRACE_HEADER: {"DataType": "String", "StringValue": trace}}
    return parameters


def xml_characters(text: str) -> str:
    """The text with U+FFFD in place of what SQS refuses: anything that is not a character of XML 1.0."""
    return _NOT_XML_CHARACTER.sub("\ufffd", text)
