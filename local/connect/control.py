"""Control calls, under /_local/, set up and inspect the emulated Connect. Requests and answers are JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from local.connect.answer import json_answer
from local.connect.checked_input import ControlCallError, Rule, checked_members, number, texts, whole_number
from local.connect.contacts import DEFAULT_EXPIRY_SECONDS
from local.connect.faults import OPERATIONS, SEND, parsed_faults
from local.connect.instance import Instance
from local.connect.service import EmulatedConnect
from local.http_server import Answer

_DRAFTS = {
    "contact_ids": Rule(texts, "a list of contact ids"),
    "expires_in_seconds": Rule(number(0), "a number of seconds, 0 or more (with 0, the drafts have expired)"),
}
_INBOUND = {
    "count": Rule(whole_number(1), "a whole number of emails, 1 or more"),
    "active_seconds": Rule(number(0), "a number of seconds, 0 or more"),
}
_INBOUND_SECONDS = 300


def control_answer(
    connect: EmulatedConnect, method: str, path: list[str], query: Mapping[str, str], body: bytes
) -> Answer:
    """Answer a control call.

    The answer to an invalid call has the status 400 and an `error` that says what would be valid.

    Args:
        connect: The emulated Connect.
        method: The HTTP method.
        path: The parts of the path below /_local/.
        query: For records: `since`, the number of the last call that the caller knows, and the `operation`.
        body: The request's body.
    """
    if (method, path) == ("POST", ["reset"]):
        connect.reset()
        return json_answer({})
    try:
        with connect.held() as instance:
            content = _result(instance, connect.clock(), method, path, query, body)
    except ControlCallError as error:
        return json_answer({"error": str(error)}, 400)
    if content is None:
        return json_answer({"error": f"Unknown control call {method} /_local/{'/'.join(path)}."}, 404)
    return json_answer(content)


def _result(  # noqa: C901, PLR0911, PLR0912, PLR0913, PLR0917 - one return for each call
    instance: Instance, now: float, method: str, path: list[str], query: Mapping[str, str], body: bytes
) -> dict[str, object] | None:
    match method, path:
        case "GET", ["settings"]:
            return asdict(instance.settings)
        case "PUT", ["settings"]:
            instance.change_settings(_parsed(body))
            return asdict(instance.settings)
        case "POST", ["drafts"]:
            members = checked_members(_parsed(body), _DRAFTS)
            contact_ids = members.get("contact_ids", [])
            instance.add_drafts(contact_ids, now, members.get("expires_in_seconds", DEFAULT_EXPIRY_SECONDS))
            return {"added": len(contact_ids)}
        case "GET", ["drafts"]:
            return {"contact_ids": list(instance.contacts.drafts(now))}
        case "DELETE", ["drafts", contact_id]:
            return {"removed": instance.contacts.remove(contact_id)}
        case "POST", ["inbound"]:
            members = checked_members(_parsed(body), _INBOUND)
            return instance.add_inbound(members.get("count", 1), now, members.get("active_seconds", _INBOUND_SECONDS))
        case "GET", ["active"]:
            return {**instance.active(now)}
        case "GET", ["faults"]:
            return {"faults": instance.faults.listed()}
        case "POST", ["faults"]:
            instance.faults.add(*parsed_faults(_parsed(body)))
            return {"faults": instance.faults.listed()}
        case "DELETE", ["faults"]:
            instance.faults.clear()
            return {"faults": []}
        case "GET", ["calls"]:
            last, calls = _number(query), instance.record.calls_of[_operation(query)]
            return {"calls": [each for each in calls if each["n"] > last]}
        case "GET", ["sent"]:
            last = _number(query)
            return {"sent": [each for each in instance.record.sent if each["n"] > last]}
        case "DELETE", ["calls"]:
            instance.record.clear()
            return {}
        case _:
            return None


def _parsed(body: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ControlCallError(f"The body is not JSON ({error}). Send JSON.") from error


def _operation(query: Mapping[str, str]) -> str:
    operation = query.get("operation", SEND)
    if operation not in OPERATIONS:
        raise ControlCallError(f"operation cannot be {operation!r}. Send one of {', '.join(OPERATIONS)}.")
    return operation


def _number(query: Mapping[str, str]) -> int:
    since = query.get("since", "0")
    if not since.isdecimal():
        raise ControlCallError(f"since cannot be {since!r}. Send the number of a call.")
    return int(since)
