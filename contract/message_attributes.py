"""SQS message attributes in the form that SendMessage takes, and SQS's limits on a message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypedDict, cast

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, MessageSystemAttributeValueTypeDef

Attributes = Mapping[str, "MessageAttributeValueTypeDef"]


class SystemAttributeParams(TypedDict, total=False):
    """The parameters of SendMessage that set system attributes."""

    MessageGroupId: str
    MessageSystemAttributes: Mapping[Literal["AWSTraceHeader"], MessageSystemAttributeValueTypeDef]


MAX_ATTRIBUTES = 10
MAX_BYTES = 1_048_576
"""A message's body with the names, types and values of its attributes (Amazon SQS quotas)."""
_NOT_XML_CHARACTER = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


MESSAGE_GROUP_ID: Literal["MessageGroupId"] = "MessageGroupId"
TRACE_HEADER: Literal["AWSTraceHeader"] = "AWSTraceHeader"
SYSTEM_ATTRIBUTES = (MESSAGE_GROUP_ID, TRACE_HEADER)
"""Kept whenever a message is sent again: its fair-queue group, and its X-Ray trace."""


def string(text: str) -> MessageAttributeValueTypeDef:
    """Return an attribute of type String."""
    return {"DataType": "String", "StringValue": text}


def string_value(attributes: Attributes, name: str) -> str | None:
    """Return a String attribute's value (custom types such as String.x count); None if there is no such attribute."""
    attribute = attributes.get(name)
    if attribute is None or attribute["DataType"].partition(".")[0] != "String":
        return None
    return attribute.get("StringValue")


def is_valid(attribute: MessageAttributeValueTypeDef) -> bool:
    """Return whether the attribute has a type and a value, as SQS requires."""
    return bool(attribute["DataType"] and (attribute.get("StringValue") or attribute.get("BinaryValue")))


def message_bytes(body: str, attributes: Attributes) -> int:
    """Return the bytes that SQS counts: the body, and the names, types and values of the attributes."""
    return len(body.encode()) + sum(
        len(name.encode())
        + len(value["DataType"].encode())
        + len(cast("bytes", value["BinaryValue"]) if "BinaryValue" in value else value["StringValue"].encode())
        for name, value in attributes.items()
    )


def system_attribute_params(system: Mapping[str, str]) -> SystemAttributeParams:
    """Return the parameters of SendMessage that copy a received message's system attributes."""
    params: SystemAttributeParams = {}
    if group := system.get(MESSAGE_GROUP_ID):
        params["MessageGroupId"] = group
    if trace := system.get(TRACE_HEADER):
        params["MessageSystemAttributes"] = {TRACE_HEADER: {"DataType": "String", "StringValue": trace}}
    return params


def replace_invalid_characters(text: str) -> str:
    """Return the text with U+FFFD for each character that SQS refuses because XML 1.0 doesn't have it."""
    return _NOT_XML_CHARACTER.sub("\ufffd", text)
