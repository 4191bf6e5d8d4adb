"""Every fault of a reply, however long it is, where the function names only the first fault of a long one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from contract.client_token import is_identifier
from contract.reply import ALL_ERRORS_MAX_CHARACTERS, InvalidReplyError, all_errors, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 50
"""Faults that are told: two screens. A broken producer can make a million."""
LONGEST_PATTERN_TEXT = 1_100
"""Characters, a little more than the longest text that the contract has a pattern for (a subject, 998): patterns take
time that grows with the square of a text's length."""


def faults(body: str) -> tuple[str, ...]:
    """Every fault of a reply, each by its path with what would be right; none if the contract takes it.

    They are printed, so a member's name that is more than an identifier, as an address or a full name is, is left out.
    The stack's instance is not known here: an InstanceId is taken for the right one.
    """
    try:
        parse(body, _instance(body))
    except InvalidReplyError as invalid:
        found = invalid.errors if len(body) <= ALL_ERRORS_MAX_CHARACTERS else _all_faults(body) or invalid.errors
        names = _names(body)
        told = tuple(dict.fromkeys(_without(fault, names) for fault in found[:MOST]))
        return (*told, f"reply: {len(found) - MOST:,} more faults") if len(found) > MOST else told
    return ()


def _without(fault: str, names: Sequence[str]) -> str:
    """The sentence without these names."""
    for name in names:
        fault = fault.replace(name, "…").replace(repr(name)[1:-1], "…")
    return fault


def _names(body: str) -> list[str]:
    """The names in the body that are more than identifiers, the longest first."""
    names: set[str] = set()

    def note(pairs: list[tuple[str, Any]]) -> None:
        names.update(name for name, _ in pairs if name.strip() and not is_identifier(name))

    try:
        json.loads(body, object_pairs_hook=note)
    except (ValueError, RecursionError):
        return []
    return sorted(names, key=len, reverse=True)


def _instance(body: str) -> str:
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    instance = reply.get("InstanceId") if isinstance(reply, dict) else None
    return instance if isinstance(instance, str) else ""


def _all_faults(body: str) -> tuple[str, ...]:
    """The faults of a long reply."""
    try:
        return tuple(all_errors(_cut(json.loads(body))))
    except (ValueError, RecursionError):
        return ()


def _cut(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    match value:
        case dict():
            return {name: member if _may_be_long(name) else _cut(member) for name, member in value.items()}
        case list():
            return [_cut(each) for each in value]
        case str():
            return value[:LONGEST_PATTERN_TEXT]
    return value


def _may_be_long(name: str) -> bool:
    """Members that may be longer than any text with a pattern, and have none themselves."""
    return name in {"Body", "CustomAttributes", "CustomerProfileAttributes"}
