"""Control calls, under /_local/, set up and inspect the emulated Connect. Requests and answers are JSON."""

import json
from dataclasses import asdict
from typing import Any

from local.connect.answer import json_answer
from local.connect.checked_input import ControlCallError, Rule, checked_members, number, texts
from local.connect.contacts import DEFAULT_EXPIRY_SECONDS
from local.connect.faults import parsed_faults
from local.connect.instance import Instance
from local.connect.service import EmulatedConnect
from local.http_server import Answer

_DRAFTS = {
    "contact_ids": Rule(texts, "a list of contact ids"),
    "expires_in_seconds": Rule(number(0), "a number of seconds, 0 or more (with 0, the drafts have expired)"),
}


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
    try:
        with connect.held() as instance:
            content = _result(instance, connect.clock(), method, path, since, body)
    except ControlCallError as error:
        return json_answer({"error": str(error)}, 400)
    if content is None:
        return json_answer({"error": f"Unknown control call {method} /_local/{'/'.join(path)}."}, 404)
    return json_answer(content)


def _result(  # noqa: C901, PLR0911, PLR0913, PLR0917 - one return for each call
    instance: Instance, now: float, method: str, path: list[str], since: str, body: bytes
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
            instance.contacts.add_drafts(contact_ids, now + members.get("expires_in_seconds", DEFAULT_EXPIRY_SECONDS))
            return {"added": len(contact_ids)}
        case "DELETE", ["drafts", contact_id]:
            return {"removed": instance.contacts.remove(contact_id)}
        case "GET", ["faults"]:
            return {"faults": instance.faults.listed()}
        case "POST", ["faults"]:
            instance.faults.add(*parsed_faults(_parsed(body)))
            return {"faults": instance.faults.listed()}
        case "DELETE", ["faults"]:
            instance.faults.clear()
            return {"faults": []}
        case "GET", ["calls"]:
            last = _number(since)
            return {"calls": [each for each in instance.record.calls if each["n"] > last]}
        case "GET", ["sent"]:
            last = _number(since)
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


def _number(since: str) -> int:
    if not since.isdecimal():
        raise ControlCallError(f"since cannot be {since!r}. Send the number of a call.")
    return int(since)
