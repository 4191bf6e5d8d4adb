"""Checks the JSON of control calls, member by member."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class ControlCallError(ValueError):
    """A control call is invalid. The message says what would be valid."""


class Rule(NamedTuple):
    """The values that a member can have: as a check, and in words for the error message."""

    allows: Callable[[object], bool]
    in_words: str


def checked_members(content: object, rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Return the object if it has only known members with allowed values. Every member is optional.

    Raises:
        ControlCallError: The content is not an object, or a member is unknown or not allowed.
    """
    if not isinstance(content, dict):
        raise ControlCallError(f"Send a JSON object with any of these members: {', '.join(rules)}.")
    for name, value in content.items():
        if name not in rules:
            raise ControlCallError(f"Unknown member {name!r}. Known members: {', '.join(rules)}.")
        if not rules[name].allows(value):
            raise ControlCallError(f"{name} cannot be {value!r}. Send {rules[name].in_words}.")
    return content


def number(minimum: float, maximum: float = math.inf) -> Callable[[object], bool]:
    """Allow finite numbers from `minimum` to `maximum`."""

    def allows(value: object) -> bool:
        # In Python, true and false are integers.
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        return math.isfinite(value) and minimum <= value <= maximum

    return allows


def whole_number(minimum: float = -math.inf, maximum: float = math.inf) -> Callable[[object], bool]:
    """Allow whole numbers from `minimum` to `maximum`."""
    return lambda value: isinstance(value, int) and number(minimum, maximum)(value)


def text(value: object) -> bool:
    """Allow strings that are not empty."""
    return isinstance(value, str) and bool(value)


def texts(value: object) -> bool:
    """Allow lists of strings that are not empty."""
    return isinstance(value, list) and all(map(text, value))


def one_of(*names: str) -> Callable[[object], bool]:
    """Allow these strings."""
    return lambda value: value in names


def or_null(allows: Callable[[object], bool]) -> Callable[[object], bool]:
    """Allow null as well."""
    return lambda value: value is None or allows(value)
