"""The message contract: a message's body becomes a request of StartOutboundEmailContact, or a clear reason why not."""

import json
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import fastjsonschema

from contract.fault_words import sentences
from contract.identifier import is_identifier

SCHEMA: dict[str, Any] = json.loads(Path(__file__).with_name("reply.schema.json").read_bytes())

try:  # the bundle has the check as code (infra/bundle.py): to compile it takes a tenth of the function's start
    from contract.reply_check import validate as _check  # type: ignore[import-not-found,unused-ignore]
except ModuleNotFoundError:
    _check = fastjsonschema.compile(SCHEMA, use_default=False, use_formats=False)
BYTE_ORDER_MARK = "it begins with a byte order mark; write UTF-8 without one"
EVERY_FAULT_CHARACTERS = 8_192
"""Of a longer body only the first fault is told: there could be a million faults, and the time a pattern takes grows
with the square of a text's length."""


class InvalidReplyError(ValueError):
    """The body breaks the contract.

    Attributes:
        faults: One sentence for each fault, by its path in the body. They may name members of the body.
    """

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def parse(body: str, instance_arn: str) -> dict[str, Any]:
    """Read a message body.

    Args:
        body: The SQS message body.
        instance_arn: The instance that the stack sends for; the only one that a body may name.

    Returns:
        The request for StartOutboundEmailContact, as it was written, less InstanceId.

    Raises:
        InvalidReplyError: It cannot be sent; nothing else is ever raised, whatever the body holds.
    """
    reply: dict[str, Any] = _read_json(body)
    try:
        _check(reply, {}, "reply")
    except fastjsonschema.JsonSchemaValueException as invalid:
        faults = every_fault(reply) if len(body) <= EVERY_FAULT_CHARACTERS else []
        raise InvalidReplyError(*(faults or sentences(invalid))) from None
    instance = reply.pop("InstanceId", instance_arn)
    if instance not in {instance_arn, instance_arn.rpartition("/")[2]}:
        raise InvalidReplyError(f"reply.InstanceId: this stack sends for {instance_arn} only; leave InstanceId out")
    return reply


def contact_of(body: str) -> str | None:
    """The contact that a body names, whatever else is wrong with it; None if it names none."""
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        return None
    contact_id = reply.get("ContactId") if isinstance(reply, dict) else None
    return contact_id if isinstance(contact_id, str) else None


def _read_json(body: str) -> Any:  # noqa: ANN401 - JSON may be anything until the schema has seen it
    try:
        reply = json.loads(body, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        # JSON can spell half a surrogate pair; no email can.
        json.dumps(reply, ensure_ascii=False).encode()
    except InvalidReplyError:
        raise
    except json.JSONDecodeError as broken:
        where = f"{broken.msg.removesuffix(' at')} at line {broken.lineno}, column {broken.colno}"
        why = BYTE_ORDER_MARK if body.startswith("\ufeff") else where
        raise InvalidReplyError(f"reply: is not JSON: {why}") from None
    except UnicodeEncodeError:
        half = "holds half of a surrogate pair, which is not a character: a text was cut inside an emoji, say"
        raise InvalidReplyError(f"reply: {half}") from None
    except RecursionError:
        raise InvalidReplyError("reply: is nested too deeply") from None
    except ValueError:  # an integer of thousands of digits
        raise InvalidReplyError("reply: holds a number that is too long") from None
    return reply


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        name = twice if is_identifier(twice) else "a member"
        raise InvalidReplyError(f"reply: names {name} twice in one object")
    return members


def _no_constant(constant: str) -> NoReturn:
    raise InvalidReplyError(f"reply: {constant} is not JSON")


def every_fault(reply: object) -> list[str]:
    """One sentence for each way in which parsed JSON breaks the contract; takes long for long texts."""
    try:
        _check_all()(reply, {}, "reply")
    except fastjsonschema.JsonSchemaValuesException as invalid:
        return list(dict.fromkeys(sentence for error in invalid.errors for sentence in sentences(error)))
    return []


@cache
def _check_all() -> Callable[..., Any]:
    """Compiled when it is first needed: that takes as long as a tenth of the function's start."""
    check: Callable[..., Any] = fastjsonschema.compile(SCHEMA, use_default=False, use_formats=False, fast_fail=False)
    return check
