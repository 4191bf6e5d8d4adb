"""What is wrong with a reply, in words: by its path in the body, and with what would be right. No value is quoted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract.identifier import is_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fastjsonschema import JsonSchemaValueException

_KINDS = {"string": "a string", "object": "an object", "array": "a list"}
_KIND_OF = {
    str: _KINDS["string"],
    dict: _KINDS["object"],
    list: _KINDS["array"],
    bool: "true or false",
    type(None): "null",
}
_MOST_NAMES = 20
"""Unknown members that are named and compared: a body could hold a million."""
_LONGEST_NAME = 60
_ALIKE = 0.75
"""Of 1: names that are so much alike are one misspelt (Subjekt and Subject: 0.86)."""


def sentences(error: JsonSchemaValueException) -> Iterator[str]:
    """One for each member that one error of the schema is about. Two errors may give the same sentence."""
    path = error.name or "reply"
    definition = error.definition if isinstance(error.definition, dict) else {}
    described = f" ({definition['description']})" if "description" in definition else ""
    match error.rule:
        case "required":
            given = _names(set(error.value) - set(definition["properties"]))
            for missing in error.rule_definition:
                if missing not in error.value:
                    wrong = _most_alike(missing, given)
                    yield _misspelt(path, wrong, missing) if wrong else f"{path}.{missing} is missing"
        case "additionalProperties":
            open_names = set(definition["properties"]) - set(error.value)
            for name in _names(set(error.value) - set(definition["properties"])):
                right = _most_alike(name, open_names)
                yield _misspelt(path, name, right) if right else f"{path}.{name} is not a member{described}"
        case "type":
            yield f"{path} must be {_KINDS[error.rule_definition]}, and is {_kind(error.value)}{described}"
        case "enum":
            yield f"{path} must be {' or '.join(error.rule_definition)}{described}"
        case _:
            yield f"{path} {_fault(error.rule, error.value)}{described}"


def _fault(rule: str | None, value: Any) -> str:  # noqa: ANN401 - JSON
    if rule in {"minLength", "minItems"} and not value:
        return "is empty"
    if rule == "maxLength":
        return "is too long"
    if rule == "maxItems":
        return "has too many items"
    return "is not of the right form"


def _kind(value: object) -> str:
    return _KIND_OF.get(type(value), "a number")


def _misspelt(path: str, wrong: str, right: str) -> str:
    return f"{path}.{wrong} is not a member: did you mean {right}?"


def _names(unknown: Iterable[str]) -> list[str]:
    """Names that may be told; the others, which could be anything of the reply's, are all told as one."""
    names = sorted(unknown)
    told = [name for name in names[: _MOST_NAMES - 1] if is_identifier(name) and len(name) <= _LONGEST_NAME]
    return told if len(told) == len(names) else [*told, "…"]


def _most_alike(name: str, others: Iterable[str]) -> str | None:
    if name.lower().startswith("bcc"):  # Connect sends none; who puts it into CcEmailAddresses shows it to all
        return None
    from difflib import SequenceMatcher  # noqa: PLC0415 - the function's start does not wait for it

    def likeness(other: str) -> float:
        return SequenceMatcher(None, name.lower(), other.lower()).ratio()

    best = max(sorted(others), key=likeness, default=None)
    return best if best is not None and likeness(best) >= _ALIKE else None
