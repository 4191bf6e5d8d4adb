"""Control calls, under /_local/, set up and inspect the emulated Connect. Requests and answers are JSON."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NamedTuple

from local.connect.answer import Answer, json_answer
from local.connect.checked_input import ControlCallError, Rule, checked_members, number, texts
from local.connect.contacts import DEFAULT_EXPIRY_SECONDS
from local.connect.faults import parsed_faults
from local.connect.instance import Instance
from local.connect.service import EmulatedConnect

_DRAFTS = {
    "contact_ids": Rule(texts, "a list of contact ids"),
    "expires_in_seconds": Rule(number(0), "a number of seconds, 0 or more (with 0, the drafts have expired)"),
}


class _Call(NamedTuple):
    path: list[str]
    since: str
    body: bytes
    now: float

    def content(self) -> Any:  # noqa: ANN401 - JSON of any shape
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise ControlCallError(f"The body is not JSON ({error}). Send JSON.") from error


def control_answer(connect: EmulatedConnect, method: str, path: list[str], since: str, body: bytes) -> Answer:
    """Answer a control call.

    The answer to an invalid call has the status 400 and an `error` that says what would be valid.

    Args:
        connect: The emulated Connect.
        method: The HTTP method.
        path: The parts of the path below /_local/.
        since: For records: the number of the last call that the caller knows.
        body: The request's body.
    """
    if (method, path) == ("POST", ["reset"]):
        connect.reset()
        return json_answer({})
    handle = _CALLS.get((method, path[0], len(path)))
    if handle is None:
        return json_answer({"error": f"Unknown control call {method} /_local/{'/'.join(path)}."}, 404)
    try:
        with connect.held() as instance:
            content = handle(instance, _Call(path, since, body, connect.clock()))
    except ControlCallError as error:
        return json_answer({"error": str(error)}, 400)
    return json_answer(content)


def _settings(instance: Instance, _: _Call) -> object:
    return asdict(instance.settings)


def _change_settings(instance: Instance, call: _Call) -> object:
    instance.change_settings(call.content())
    return asdict(instance.settings)


def _add_drafts(instance: Instance, call: _Call) -> object:
    members = checked_members(call.content(), _DRAFTS)
    contact_ids = members.get("contact_ids", [])
    instance.contacts.add_drafts(contact_ids, call.now + members.get("expires_in_seconds", DEFAULT_EXPIRY_SECONDS))
    return {"added": len(contact_ids)}


def _remove_draft(instance: Instance, call: _Call) -> object:
    return {"removed": instance.contacts.remove(call.path[1])}


def _faults(instance: Instance, _: _Call) -> object:
    return {"faults": instance.faults.listed()}


def _add_faults(instance: Instance, call: _Call) -> object:
    instance.faults.add(*parsed_faults(call.content()))
    return {"faults": instance.faults.listed()}


def _clear_faults(instance: Instance, _: _Call) -> object:
    instance.faults.clear()
    return {"faults": []}


def _calls(instance: Instance, call: _Call) -> object:
    since = _number_of(call)
    return {"calls": [each for each in instance.record.calls if each["n"] > since]}


def _sent(instance: Instance, call: _Call) -> object:
    since = _number_of(call)
    return {"sent": [each for each in instance.record.sent if each["n"] > since]}


def _clear_record(instance: Instance, _: _Call) -> object:
    instance.record.clear()
    return {}


def _number_of(call: _Call) -> int:
    if not call.since.isdecimal():
        raise ControlCallError(f"since cannot be {call.since!r}. Send the number of a call.")
    return int(call.since)


# By method, first part of the path, and number of parts.
_CALLS: dict[tuple[str, str, int], Callable[[Instance, _Call], object]] = {
    ("GET", "settings", 1): _settings,
    ("PUT", "settings", 1): _change_settings,
    ("POST", "drafts", 1): _add_drafts,
    ("DELETE", "drafts", 2): _remove_draft,
    ("GET", "faults", 1): _faults,
    ("POST", "faults", 1): _add_faults,
    ("DELETE", "faults", 1): _clear_faults,
    ("GET", "calls", 1): _calls,
    ("GET", "sent", 1): _sent,
    ("DELETE", "calls", 1): _clear_record,
}
