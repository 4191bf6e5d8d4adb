"""Settings for an emulated Connect that answers as a real one did: from a file of `courier doctor --send-test`."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.connect.instance.settings import Case

_OK, _SERVER_ERROR = 200, 500
_PASSING = {402, 403, 408, 429}
_MASKED_NUMBER = re.compile(r"\bN\b")
"""The file has N in place of each number: played, a number stands there again, so that it is masked alike."""


def settings_as_observed(file: Path) -> dict[str, Any]:
    """Read the file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not such a file.
    """
    try:
        answers = json.loads(file.read_text())["answers"]
        return settings_of({name: answer for name, answer in answers.items() if _settles(answer)})
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise ValueError(f"{file} is not a file that courier doctor --send-test has written.") from wrong


def settings_of(answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Turn answers by the names of the calls into settings; what was not settled stays as it is by default."""
    settings: dict[str, Any] = {}
    words: dict[str, object] = {}
    for name, setting, accepted, refused, case in (
        ("bad_body", "unknown_sender", "send", "refuse", Case.UNKNOWN_SENDER),
        ("repeat", "repeat", "same_contact", "conflict", Case.REPEAT),
        ("spent_contact", "used_draft", "send", "refuse", Case.SPENT_CONTACT),
    ):
        if answer := answers.get(name):
            settings[setting] = accepted if answer["status"] == _OK else refused
            words |= _words(case, answer)
    if answer := answers.get("mended_body"):
        is_the_refusals = "mended_body_new_token" in answers and answers["mended_body_new_token"]["status"] == _OK
        if answer["status"] == _OK:
            settings["refusals"] = "forget"
        elif is_the_refusals:
            settings["refusals"] = "remember"
            words |= _words(Case.REMEMBERED_REFUSAL, answer)
    if answer := answers.get("wrong_contact"):
        words |= _words(Case.WRONG_CONTACT, answer)
    return {**settings, "answers": words}


def _words(case: Case, answer: Mapping[str, Any]) -> dict[str, object]:
    if answer["status"] == _OK:
        return {}
    message = _MASKED_NUMBER.sub("1", answer["message"])
    return {case: {"status": answer["status"], "error": answer["error"], "message": message}}


def _settles(answer: Mapping[str, Any]) -> bool:
    """Whether it is an answer of Connect's own: no time-out, and no trouble that passes."""
    status = answer["status"]
    return status is not None and status < _SERVER_ERROR and status not in _PASSING
