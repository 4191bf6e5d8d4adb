"""The schema beside AWS's own model of the call, member by member: whatever differs is meant, and says why."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import botocore.session

from contract.reply import SCHEMA
from local.aws import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import Shape

MEANT = {
    "ClientToken: only in AWS's model": "it is a message attribute, which an edit of the body cannot lose",
    "InstanceId: required": "the stack knows its instance",
    "ContactId: required": "the function may make the draft",
    "CreateContact: only in the schema": "the draft that the function makes",
    "InstanceId: longest": "the instance's ARN is taken as well",
    "EmailMessage.RawMessage.ContentType: enum": "AWS's documents name these two",
    "AdditionalRecipients.CcEmailAddresses: longest": "50 recipients in all, the destination among them",
}
"""Each difference, and why it is meant."""

MEANT_OF_DRAFTS = {
    "Attributes (names): pattern": "the API reference says so, the model does not",
    "Channel: only in AWS's model": "it is EMAIL",
    "ClientToken: only in AWS's model": "each call has one of its own",
    "Description: only in AWS's model": "of tasks",
    "ExpiryDurationInMinutes: only in AWS's model": "the function derives it from the retry window",
    "InitiateAs: only in AWS's model": "of tasks and inbound contacts",
    "InitiationMethod: enum": "those of outbound email",
    "InitiationMethod: required": "FLOW is the default",
    "InstanceId: only in AWS's model": "the stack knows its instance",
    "Name: only in AWS's model": "of tasks",
    "PreviousContactId: only in AWS's model": "of persistent chats",
    "References: only in AWS's model": "a reply's attachments belong to a draft of the producer's own",
    "SegmentAttributes: only in AWS's model": "connect:ContactExpiry would collide with the function's expiry",
    "UserInfo.UserId: required": "an empty UserInfo would name no user",
}


def api(operation: str = "StartOutboundEmailContact") -> Shape:
    model = botocore.session.get_session().get_service_model("connect")
    shape = model.operation_model(operation).input_shape
    assert shape is not None
    return shape


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    return SCHEMA["definitions"][reference.rpartition("/")[2]] if reference else schema


def differences(shape: Any, schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Every difference of a shape of AWS's and a part of the schema."""
    schema = resolved(schema)
    if shape.type_name == "structure":
        members = schema.get("properties", {})
        assert schema["additionalProperties"] is False
        for name in sorted(shape.members.keys() | members.keys()):
            inside = f"{path}.{name}".removeprefix(".")
            if name not in members:
                yield f"{inside}: only in AWS's model"
            elif name not in shape.members:
                yield f"{inside}: only in the schema"
            else:
                yield from differences(shape.members[name], members[name], inside)
                if (name in shape.required_members) != (name in schema.get("required", [])):
                    yield f"{inside}: required"
        return
    if shape.type_name == "map":
        yield from limits(shape.key, schema["propertyNames"], f"{path} (names)")
        yield from differences(shape.value, schema["additionalProperties"], f"{path} (values)")
        return
    yield from limits(shape, schema, path)
    if shape.type_name == "list":
        yield from differences(shape.member, schema["items"], f"{path}[]")


def limits(shape: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    bounds = ("minItems", "maxItems") if shape.type_name == "list" else ("minLength", "maxLength")
    shortest, longest = (schema.get(bound) for bound in bounds)
    enum = getattr(shape, "enum", [])
    if "enum" in schema or enum:
        if set(schema.get("enum", [])) != set(enum):
            yield f"{path}: enum"
        return
    if (shape.metadata.get("min") or 0) != (shortest or 0):
        yield f"{path}: shortest"
    if shape.metadata.get("max") != longest:
        yield f"{path}: longest"
    if path.endswith("(names)") and "pattern" in schema:
        yield f"{path}: pattern"


def test_the_schema_differs_from_the_api_where_that_is_meant_and_nowhere_else() -> None:
    assert sorted(differences(api(), SCHEMA)) == sorted(MEANT)


def test_the_draft_of_a_reply_differs_from_the_api_where_that_is_meant_and_nowhere_else() -> None:
    found = differences(api("CreateContact"), SCHEMA["properties"]["CreateContact"])
    assert sorted(found) == sorted(MEANT_OF_DRAFTS)


def test_a_limit_or_a_member_that_aws_changes_shows() -> None:
    longer = {**SCHEMA, "properties": {**SCHEMA["properties"], "ContactId": {"type": "string", "maxLength": 300}}}
    assert {"ContactId: longest", "ContactId: shortest"} <= set(differences(api(), longer))
    without = {**SCHEMA, "properties": {n: m for n, m in SCHEMA["properties"].items() if n != "ContactId"}}
    assert "ContactId: only in AWS's model" in set(differences(api(), without))


def test_patterns_hold_no_escapes_that_some_validators_do_not_know() -> None:
    """RE2, which validators in Go use, has no escape with a `u`: what is meant stands there itself."""
    patterns = re.findall(r'"pattern": (".*")', (ROOT / "contract" / "reply.schema.json").read_text())
    assert len(patterns) == 4
    assert not any("\\u" in json.loads(pattern) for pattern in patterns)
