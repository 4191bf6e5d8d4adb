"""Settings that can be changed while it runs (PUT /_local/settings)."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from local.connect.answer import Refused
from local.connect.checked_input import Rule, checked_members, number, one_of, text, whole_number


class Case(StrEnum):
    """Refusals whose words AWS does not document."""

    UNKNOWN_SENDER = "unknown_sender"  # a FromEmailAddress that the instance does not have
    REMEMBERED_REFUSAL = "remembered_refusal"  # a token under which a request was refused, with a mended one
    REPEAT = "repeat"  # a token under which an email was sent, with the same request
    SPENT_CONTACT = "spent_contact"  # a contact that was sent, under another token
    WRONG_CONTACT = "wrong_contact"  # a contact that does not exist, or is expired


_WORDS: Mapping[Case, tuple[str, str]] = {
    Case.UNKNOWN_SENDER: ("InvalidRequestException", "The from email address does not exist in the instance."),
    Case.REMEMBERED_REFUSAL: ("IdempotencyException", "An entity with the same name already exists."),
    Case.REPEAT: ("IdempotencyException", "An entity with the same name already exists."),
    Case.SPENT_CONTACT: ("InvalidRequestException", "The email of this contact has been sent already."),
    Case.WRONG_CONTACT: ("ResourceNotFoundException", "Contact not found"),
}
_IS_ANSWER: Mapping[str, Callable[[object], bool]] = {
    "status": whole_number(400, 599),
    "error": text,
    "message": lambda value: isinstance(value, str),
}


def _answers(value: object) -> bool:
    return isinstance(value, dict) and all(
        case in set(Case)
        and isinstance(answer, dict)
        and answer.keys() == _IS_ANSWER.keys()
        and all(allows(answer[name]) for name, allows in _IS_ANSWER.items())
        for case, answer in value.items()
    )


@dataclass(frozen=True)
class Settings:
    """The quota, the instance, and behaviour that AWS does not document.

    The quota's defaults are those of a new AWS account:
    https://docs.aws.amazon.com/connect/latest/adminguide/amazon-connect-service-limits.html
    """

    rate: float = 2  # StartOutboundEmailContact requests a second
    burst: int = 5
    latency_ms: float = 0  # from the decision to the answer
    repeat: str = "same_contact"  # the answer to a repeated client token, which AWS does not document
    used_draft: str = "refuse"  # a contact that was sent, called with another token: AWS does not document this
    unknown_sender: str = "refuse"  # an email from an address that the instance does not have
    refusals: str = "forget"  # a token under which a request was refused: AWS does not document this
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # other words for refusals, by Case
    email_addresses: Sequence[str] = ("support@bicycles.example",)  # from which the instance can send
    capacity: int = 1000  # concurrently active emails
    active_seconds: float = 0  # how long an email counts as active; 0: never
    instance_id: str = "11111111-2222-3333-4444-555555555555"
    seed: int = 0  # for the draws of faults with a probability

    def refusal(self, case: Case) -> Refused:
        """How such a call is refused."""
        if answer := self.answers.get(case):
            return Refused(answer["error"], answer["message"], answer["status"])
        return Refused(*_WORDS[case])


_RULES = {
    "rate": Rule(number(math.ulp(0)), "a number above 0, in requests a second"),
    "burst": Rule(whole_number(1), "a whole number of requests, from 1"),
    "latency_ms": Rule(number(0), "a number of milliseconds, from 0"),
    "repeat": Rule(one_of("same_contact", "conflict"), '"same_contact" or "conflict"'),
    "used_draft": Rule(one_of("refuse", "send"), '"refuse" or "send"'),
    "unknown_sender": Rule(one_of("refuse", "send"), '"refuse" or "send"'),
    "refusals": Rule(one_of("forget", "remember"), '"forget" or "remember"'),
    "answers": Rule(_answers, f"status, error and message for each of {', '.join(Case)}"),
    "email_addresses": Rule(lambda value: isinstance(value, list) and all(map(text, value)), "a list of addresses"),
    "capacity": Rule(whole_number(0), "a whole number of emails, from 0"),
    "active_seconds": Rule(number(0), "a number of seconds, from 0"),
    "instance_id": Rule(text, "an instance's id, a string"),
    "seed": Rule(whole_number(), "a whole number"),
}


def checked_settings(changes: object) -> dict[str, Any]:
    """Return the settings to change, by name.

    Raises:
        ControlCallError: one of them is unknown or out of range.
    """
    return checked_members(changes, _RULES)


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
