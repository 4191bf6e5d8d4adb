"""Checks requests as Connect does: against the service model in botocore and the documentation of each operation."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from local.connect.answer import Refused

# An error must not quote a whole body of 5 MB.
_MAX_QUOTED = 1000
_KINDS: dict[str, type] = {"string": str, "integer": int, "structure": dict, "map": dict, "list": list}


def parsed(raw: bytes) -> object:
    """Return the parsed body of a request, or None if it is not JSON in UTF-8. Every check refuses None."""
    try:
        return json.loads(raw.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def checked(operation: str, request: object) -> dict[str, Any]:
    """Return the request if the service model of the operation allows it.

    Raises:
        Refused: SerializationException if the request is not a JSON object, else InvalidRequestException. The message
            quotes the invalid values, as AWS services do.
    """
    if not isinstance(request, dict):
        raise Refused("SerializationException", "The request body is not a JSON object in UTF-8.")
    refuse_if(list(_violations(request, _input_shape(operation), "")))
    return request


def refuse_if(violations: list[str]) -> None:
    """Refuse a request that has violations, with a message that names all of them."""
    if violations:
        count = f"{len(violations)} validation error{'s' * (len(violations) > 1)} detected: "
        raise Refused("InvalidRequestException", count + "; ".join(violations))


def violation(value: object, path: str, constraint: str) -> str:
    """Describe a violation in the words of AWS services, and quote the value."""
    quoted = "null" if value is None else f"'{str(value)[:_MAX_QUOTED]}'"
    return f"Value {quoted} at '{path}' failed to satisfy constraint: {constraint}"


@cache
def _input_shape(operation: str) -> Shape:
    shape = botocore.session.get_session().get_service_model("connect").operation_model(operation).input_shape
    if shape is None:
        raise LookupError(f"botocore's model of {operation} has no input.")
    return shape


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _violations(value: Any, shape: Shape, path: str) -> Iterator[str]:  # noqa: ANN401 - JSON of any shape
    if not _is_of(shape.type_name, value):
        yield violation(value, path, f"Member must be of type {shape.type_name}")
    elif isinstance(shape, StructureShape):
        yield from _violations_of_structure(value, shape, path)
    elif isinstance(shape, ListShape):
        yield from _violations_of_length(value, shape, path)
        for number, item in enumerate(value, start=1):
            yield from _violations(item, shape.member, f"{path}.{number}.member")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from _violations(key, shape.key, f"{path}.key")
            yield from _violations(item, shape.value, f"{path}.{key}.value")
    elif isinstance(shape, StringShape):
        yield from _violations_of_string(value, shape, path)


def _is_of(kind: str, value: object) -> bool:
    # In Python, true and false are integers.
    return isinstance(value, _KINDS[kind]) and not isinstance(value, bool)


def _place(path: str, name: str) -> str:
    return f"{path}.{name[:1].lower()}{name[1:]}".lstrip(".")


def _violations_of_structure(value: dict[str, object], shape: StructureShape, path: str) -> Iterator[str]:
    for name, item in value.items():
        if name not in shape.members:
            yield violation(item, _place(path, name), "Member is not known")
    for name, member in shape.members.items():
        # A null member counts as absent.
        if value.get(name) is not None:
            yield from _violations(value[name], member, _place(path, name))
        elif name in shape.required_members:
            yield violation(None, _place(path, name), "Member must not be null")


def _violations_of_string(value: str, shape: StringShape, path: str) -> Iterator[str]:
    yield from _violations_of_length(value, shape, path)
    pattern = shape.metadata.get("pattern")
    # AWS services match the whole value, even if the pattern has no anchors.
    if pattern and not re.fullmatch(pattern, value):
        yield violation(value, path, f"Member must satisfy regular expression pattern: {pattern}")
    if shape.enum and value not in shape.enum:
        yield violation(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")


def _violations_of_length(value: str | list[object], shape: Shape, path: str) -> Iterator[str]:
    minimum, maximum = shape.metadata.get("min", 0), shape.metadata.get("max")
    if len(value) < minimum:
        yield violation(value, path, f"Member must have length greater than or equal to {minimum}")
    if maximum is not None and len(value) > maximum:
        yield violation(value, path, f"Member must have length less than or equal to {maximum}")


# The model says 50, the text beside it 49: "limited to 50 total addresses", of which the destination is one.
# https://docs.aws.amazon.com/connect/latest/APIReference/API_OutboundAdditionalRecipients.html
_MAX_CC = 49
_CONTENT_TYPES = ("text/plain", "text/html")
_PART_OF_SOURCE = {"RAW": "RawMessage", "TEMPLATE": "TemplatedMessageConfig"}
_WEEK_MINUTES = 7 * 24 * 60


def checked_sending(request: object) -> dict[str, Any]:
    """Return a StartOutboundEmailContact request if Connect would accept it.

    Raises:
        Refused: Connect would not accept it.
    """
    valid = checked("StartOutboundEmailContact", request)
    message = valid["EmailMessage"]
    violations = []
    cc = (valid.get("AdditionalRecipients") or {}).get("CcEmailAddresses") or []
    if len(cc) > _MAX_CC:
        constraint = f"Member must have length less than or equal to {_MAX_CC}"
        violations.append(violation(cc, "additionalRecipients.ccEmailAddresses", constraint))
    part = _PART_OF_SOURCE[message["MessageSourceType"]]
    if message.get(part) is None:
        violations.append(violation(None, f"emailMessage.{part[0].lower()}{part[1:]}", "Member must not be null"))
    content_type = (message.get("RawMessage") or {}).get("ContentType", _CONTENT_TYPES[0])
    if content_type not in _CONTENT_TYPES:
        constraint = f"Member must satisfy enum value set: [{', '.join(_CONTENT_TYPES)}]"
        violations.append(violation(content_type, "emailMessage.rawMessage.contentType", constraint))
    refuse_if(violations)
    return valid


def checked_creation(request: object) -> dict[str, Any]:
    """Return a CreateContact request if Connect would create an email contact.

    Raises:
        Refused: Connect would not, or the contact is not an email. This Connect has no other contacts.
    """
    valid = checked("CreateContact", request)
    violations = []
    for name, known in (("Channel", ("EMAIL",)), ("InitiationMethod", ("OUTBOUND", "AGENT_REPLY", "FLOW"))):
        if valid[name] not in known:
            constraint = f"Member must satisfy enum value set: [{', '.join(known)}]"
            violations.append(violation(valid[name], name[0].lower() + name[1:], constraint))
    if valid["InitiationMethod"] != "FLOW" and valid.get("UserInfo") is None:
        violations.append(violation(None, "userInfo", "Member must not be null"))
    if valid["InitiationMethod"] == "AGENT_REPLY" and valid.get("RelatedContactId") is None:
        violations.append(violation(None, "relatedContactId", "Member must not be null"))
    minutes = valid.get("ExpiryDurationInMinutes")
    if minutes is not None and not 1 <= minutes <= _WEEK_MINUTES:
        violations.append(
            violation(minutes, "expiryDurationInMinutes", f"Member must be between 1 and {_WEEK_MINUTES}")
        )
    refuse_if(violations)
    return valid
