"""The JSON of control calls, checked member by member."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class ControlCallError(ValueError):
    """A control call is invalid; the message says what would be valid."""


class Rule(NamedTuple):
    """Which values a member may have, as a check and in words."""

    allows: Callable[[object], bool]
    in_words: str


def checked_members(content: object, rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Return the object if all its members are known and allowed. Every member is optional.

    Raises:
        ControlCallError: a member is not; the message says what would be.
    """
    if not isinstance(content, dict):
        raise ControlCallError(f"Send a JSON object. Its members: {', '.join(rules)}.")
    for name, value in content.items():
        if name not in rules:
            raise ControlCallError(f"{name!r} is not known. There are: {', '.join(rules)}.")
        if not rules[name].allows(value):
            raise ControlCallError(f"{name} cannot be {value!r}. It is {rules[name].in_words}.")
    return content


def number(least: float, most: float = math.inf) -> Callable[[object], bool]:
    """Allow finite numbers from `least` to `most`."""

    def allows(value: object) -> bool:
        # In Python, true and false are integers.
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        return math.isfinite(value) and least <= value <= most

    return allows


def whole_number(least: float = -math.inf, most: float = math.inf) -> Callable[[object], bool]:
    """Allow whole numbers from `least` to `most`."""
    return lambda value: isinstance(value, int) and number(least, most)(value)


def text(value: object) -> bool:
    """Allow strings that are not empty."""
    return isinstance(value, str) and bool(value)


def one_of(*names: str) -> Callable[[object], bool]:
    """Allow the strings named."""
    return lambda value: value in names


def or_null(allows: Callable[[object], bool]) -> Callable[[object], bool]:
    """Allow null too."""
    return lambda value: value is None or allows(value)
