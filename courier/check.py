"""Checks replies against the contract, as the function will, but tells every fault, however long the reply is."""

from __future__ import annotations

import json
from typing import Any

import fastjsonschema

from contract.reply import EVERY_FAULT_CHARACTERS, SCHEMA, InvalidReplyError, parse

_check_all = fastjsonschema.compile(SCHEMA, use_default=False, use_formats=False, fast_fail=False)
_LONGEST_PATTERN_TEXT = 1_100
"""Characters, a little more than the longest text that the contract has a pattern for (a subject, 998): patterns take
time that grows with the square of a text's length."""


def faults(body: str) -> tuple[str, ...]:
    """Every fault of a reply, each by its path with what would be right; none if the contract takes it.

    The stack's instance is not known here: an InstanceId is taken for the right one.
    """
    try:
        parse(body, _instance(body))
    except InvalidReplyError as invalid:
        return invalid.faults if len(body) <= EVERY_FAULT_CHARACTERS else _all_faults(body) or invalid.faults
    return ()


def _instance(body: str) -> str:
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    instance = reply.get("InstanceId") if isinstance(reply, dict) else None
    return instance if isinstance(instance, str) else ""


def _all_faults(body: str) -> tuple[str, ...]:
    """The faults of a long reply: the function tells the first one only, to spare its time."""
    try:
        _check_all(_cut(json.loads(body)), {}, "reply")
    except fastjsonschema.JsonSchemaValuesException as invalid:
        return tuple(_sentence(error) for error in invalid.errors)
    except (ValueError, RecursionError):
        pass
    return ()


def _cut(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    match value:
        case dict():
            return {name: member if _is_long_by_right(name) else _cut(member) for name, member in value.items()}
        case list():
            return [_cut(each) for each in value]
        case str():
            return value[:_LONGEST_PATTERN_TEXT]
    return value


def _is_long_by_right(name: str) -> bool:
    """Members that may be longer than any text with a pattern, and have none themselves."""
    return name in {"Body", "CustomAttributes", "CustomerProfileAttributes"}


def _sentence(error: fastjsonschema.JsonSchemaValueException) -> str:
    """As contract.reply words a fault."""
    fault = f"{error.name} is not of the right form" if error.rule == "pattern" else error.message
    definition = error.definition if isinstance(error.definition, dict) else {}
    return f"{fault} ({definition['description']})" if "description" in definition else fault
