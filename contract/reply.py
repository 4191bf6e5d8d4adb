"""The message contract: a body is a StartOutboundEmailContact request, or the errors say what is wrong with it.

A body has exactly one of ContactId, a draft that exists, and CreateContact, the draft that the function makes.
The limits and their descriptions are in reply.schema.json.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import fastjsonschema

from contract.client_token import is_identifier

SCHEMA: dict[str, Any] = json.loads(Path(__file__).with_name("reply.schema.json").read_bytes())

try:  # the bundle has the check as code (infra/bundle.py): compiling it takes a tenth of the function's start
    from contract.reply_check import validate as _check  # type: ignore[import-not-found,unused-ignore]
except ModuleNotFoundError:
    _check = fastjsonschema.compile(SCHEMA, use_default=False, use_formats=False)
MAX_CONTACT_ATTRIBUTE_BYTES = 32_768
"""Names and values of CreateContact's Attributes, in all (Amazon Connect API reference)."""
BYTE_ORDER_MARK = "it starts with a byte order mark; write UTF-8 without one"
ALL_ERRORS_MAX_CHARACTERS = 8_192
"""A longer body gets only its first error. It could have a million errors, and the time that a pattern takes grows with
the square of a text's length."""
_KINDS = {"string": "a string", "object": "an object", "array": "a list"}
_KIND_OF = {
    str: _KINDS["string"],
    dict: _KINDS["object"],
    list: _KINDS["array"],
    bool: "true or false",
    type(None): "null",
}
_MAX_NAMES = 20
"""Unknown members that are named and compared: a body could have a million."""
_MAX_NAME_CHARACTERS = 60
_SIMILAR = 0.75
"""Similarity, of 1, from which one name counts as a misspelling of the other (Subjekt and Subject: 0.86)."""


class InvalidReplyError(ValueError):
    """The body breaks the contract.

    Attributes:
        errors: One sentence for each error, with its path in the body. A sentence quotes names of members at most.
    """

    def __init__(self, *errors: str) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


def parse(body: str, instance_arn: str) -> dict[str, Any]:
    """Parse a message body.

    Args:
        body: The SQS message body.
        instance_arn: The stack's instance, which is the only one that a body may name.

    Returns:
        The request for StartOutboundEmailContact, unchanged except that InstanceId is removed.

    Raises:
        InvalidReplyError: The body breaks the contract. No body raises anything else.
    """
    reply: dict[str, Any] = _read_json(body)
    try:
        _check(reply, {}, "reply")
    except fastjsonschema.JsonSchemaValueException as error:
        errors = all_errors(reply) if len(body) <= ALL_ERRORS_MAX_CHARACTERS else []
        raise InvalidReplyError(*(errors or _sentences(error))) from None
    if errors := _attribute_errors(reply):
        raise InvalidReplyError(*errors)
    instance = reply.pop("InstanceId", instance_arn)
    if instance not in {instance_arn, instance_arn.rpartition("/")[2]}:
        raise InvalidReplyError(f"reply.InstanceId: this stack sends only through {instance_arn}; omit InstanceId")
    return reply


def all_errors(reply: object) -> list[str]:
    """Return a sentence for each way in which parsed JSON breaks the contract. Slow for long texts."""
    try:
        _check_all()(reply, {}, "reply")
    except fastjsonschema.JsonSchemaValuesException as error:
        return list(dict.fromkeys(sentence for each in error.errors for sentence in _sentences(each)))
    return _attribute_errors(reply)


def find_contact_id(body: str) -> str | None:
    """Return the contact that a body names, even if the body breaks the contract; None if it names none."""
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        return None
    contact_id = reply.get("ContactId") if isinstance(reply, dict) else None
    return contact_id if isinstance(contact_id, str) else None


def _attribute_errors(reply: Any) -> list[str]:  # noqa: ANN401 - JSON that keeps the schema
    """Return what is wrong with CreateContact's Attributes. JSON Schema can't add up their bytes."""
    attributes = reply.get("CreateContact", {}).get("Attributes", {})
    total = sum(len(text.encode()) for attribute in attributes.items() for text in attribute)
    if total <= MAX_CONTACT_ATTRIBUTE_BYTES:
        return []
    return [f"reply.CreateContact.Attributes has {total:,} bytes; Connect takes {MAX_CONTACT_ATTRIBUTE_BYTES:,} in all"]


@cache
def _check_all() -> Callable[..., Any]:
    """Compile the check that collects all errors, when it is first needed: that takes a tenth of the start."""
    check: Callable[..., Any] = fastjsonschema.compile(SCHEMA, use_default=False, use_formats=False, fast_fail=False)
    return check


def _read_json(body: str) -> Any:  # noqa: ANN401 - JSON may be anything until the schema has seen it
    try:
        reply = json.loads(body, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        # JSON can spell half of a surrogate pair; no email can.
        json.dumps(reply, ensure_ascii=False).encode()
    except InvalidReplyError:
        raise
    except json.JSONDecodeError as error:
        where = f"{error.msg.removesuffix(' at')} at line {error.lineno}, column {error.colno}"
        why = BYTE_ORDER_MARK if body.startswith("\ufeff") else where
        raise InvalidReplyError(f"reply: is not JSON: {why}") from None
    except UnicodeEncodeError:
        half = "contains half of a surrogate pair, which is not a character (was text cut inside an emoji?)"
        raise InvalidReplyError(f"reply: {half}") from None
    except RecursionError:
        raise InvalidReplyError("reply: is nested too deeply") from None
    except ValueError:  # an integer of thousands of digits
        raise InvalidReplyError("reply: contains a number that is too long") from None
    return reply


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        duplicate = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        name = duplicate if is_identifier(duplicate) else "a member"
        raise InvalidReplyError(f"reply: names {name} twice in one object")
    return members


def _no_constant(constant: str) -> NoReturn:
    raise InvalidReplyError(f"reply: {constant} is not JSON")


def _sentences(error: fastjsonschema.JsonSchemaValueException) -> Iterator[str]:
    """Yield a sentence for each member that one error of the schema is about. No value is quoted."""
    path = error.name or "reply"
    definition = error.definition if isinstance(error.definition, dict) else {}
    description = f" ({definition['description']})" if "description" in definition else ""
    match error.rule:
        case "required":
            given = _printable_names(set(error.value) - set(definition["properties"]))
            for missing in error.rule_definition:
                if missing not in error.value:
                    wrong = _most_similar(missing, given)
                    yield _misspelt(path, wrong, missing) if wrong else f"{path}.{missing} is missing"
        case "oneOf" if isinstance(error.value, dict):
            yield _form_error(path, error.value, set(error.value) - set(definition["properties"]))
        case "additionalProperties":
            open_names = set(definition["properties"]) - set(error.value)
            for name in _printable_names(set(error.value) - set(definition["properties"])):
                right = _most_similar(name, open_names)
                yield _misspelt(path, name, right) if right else f"{path}.{name} is not a member{description}"
        case "type":
            kind = _KIND_OF.get(type(error.value), "a number")
            yield f"{path} must be {_KINDS[error.rule_definition]}, not {kind}{description}"
        case "enum":
            yield f"{path} must be {' or '.join(error.rule_definition)}{description}"
        case rule if rule != "oneOf":
            yield f"{path} {_limit_error(rule, error.value)}{description}"


def _form_error(path: str, reply: dict[str, Any], unknown: set[str]) -> str:
    """Return what is wrong with a reply that hasn't exactly one of ContactId and CreateContact."""
    if "ContactId" in reply:
        return f"{path} has both ContactId and CreateContact: keep one of them"
    for right in ("CreateContact", "ContactId"):
        if wrong := _most_similar(right, _printable_names(unknown)):
            return _misspelt(path, wrong, right)
    return f"{path}.CreateContact is missing (or ContactId, if the draft exists already)"


def _limit_error(rule: str | None, value: Any) -> str:  # noqa: ANN401 - JSON
    if rule is None:  # the schema `false`
        return "can't be used with InitiationMethod FLOW: leave it out, or set InitiationMethod"
    if rule in {"minLength", "minItems"} and not value:
        return "is empty"
    if rule == "maxLength":
        return "is too long"
    return "has too many items" if rule == "maxItems" else "has an invalid format"


def _misspelt(path: str, wrong: str, right: str) -> str:
    return f"{path}.{wrong} is not a member: did you mean {right}?"


def _printable_names(unknown: Iterable[str]) -> list[str]:
    """Return the names that may be printed, and one "…" for all others, which could be any text of the reply."""
    names = sorted(unknown)
    printable = [name for name in names[: _MAX_NAMES - 1] if is_identifier(name) and len(name) <= _MAX_NAME_CHARACTERS]
    return printable if len(printable) == len(names) else [*printable, "…"]


def _most_similar(name: str, others: Iterable[str]) -> str | None:
    if name.lower().startswith("bcc"):  # Connect sends no blind copies: suggesting CcEmailAddresses would expose them
        return None
    from difflib import SequenceMatcher  # noqa: PLC0415 - the function's start does not wait for it

    def similarity(other: str) -> float:
        return SequenceMatcher(None, name.lower(), other.lower()).ratio()

    best = max(sorted(others), key=similarity, default=None)
    return best if best is not None and similarity(best) >= _SIMILAR else None
