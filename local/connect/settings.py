"""Settings of the emulated Connect: changed by control calls, or read from a file of `courier doctor --send-test`."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from local.connect.answer import Refused
from local.connect.checked_input import Rule, checked_members, number, one_of, text, texts, whole_number


class RefusalCase(StrEnum):
    """The refusals whose status and message AWS does not document."""

    UNKNOWN_SENDER = "unknown_sender"  # the instance does not have the FromEmailAddress
    REMEMBERED_REFUSAL = "remembered_refusal"  # the token of a refused request comes with a corrected request
    REPEAT = "repeat"  # the token of a sent email comes with the same request
    SPENT_CONTACT = "spent_contact"  # the contact was sent before, under another token
    WRONG_CONTACT = "wrong_contact"  # the contact does not exist, or has expired


_DEFAULT_ANSWERS: Mapping[RefusalCase, tuple[str, str]] = {
    RefusalCase.UNKNOWN_SENDER: ("InvalidRequestException", "The from email address does not exist in the instance."),
    RefusalCase.REMEMBERED_REFUSAL: ("IdempotencyException", "An entity with the same name already exists."),
    RefusalCase.REPEAT: ("IdempotencyException", "An entity with the same name already exists."),
    RefusalCase.SPENT_CONTACT: ("InvalidRequestException", "The email of this contact has been sent already."),
    RefusalCase.WRONG_CONTACT: ("ResourceNotFoundException", "Contact not found"),
}


@dataclass(frozen=True)
class Settings:
    """The quota, the instance, and behaviour that AWS does not document.

    The quotas' defaults are those of a new AWS account:
    https://docs.aws.amazon.com/connect/latest/adminguide/amazon-connect-service-limits.html
    """

    rate: float = 2  # StartOutboundEmailContact requests a second
    burst: int = 5
    create_rate: float = 2  # CreateContact requests a second
    create_burst: int = 5
    contact_rate: float = 10  # StopContact requests a second, and as many of DescribeContact
    contact_burst: int = 15
    latency_ms: float = 0  # from the decision to the answer
    repeat: str = "same_contact"  # the answer to a repeated client token; not documented
    used_draft: str = "refuse"  # the answer to a sent contact with another token; not documented
    unknown_sender: str = "refuse"  # the answer to a sender that the instance does not have
    refusals: str = "forget"  # whether the token of a refused request is remembered; not documented
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # other answers, by RefusalCase
    email_addresses: Sequence[str] = ("support@bicycles.example",)  # the instance can send from these
    repeated_create: str = "same_contact"  # the answer to a repeated client token of CreateContact; not documented
    token_scope: str = "token"  # whether a token is remembered alone, or with its contact; not documented
    checked_first: str = "token"  # whether a send's token or its contact is checked first; not documented
    stop: str = "stop"  # what StopContact does to a draft; not documented for email
    appear_seconds: float = 0  # how long a new contact is unknown to the send and DescribeContact
    capacity: int = 1000  # concurrently active emails: drafts, inbound and sent ones
    active_seconds: float = 0  # how long an email counts as active after it was sent
    user_drafts: int = 20  # drafts for each user
    instance_id: str = "11111111-2222-3333-4444-555555555555"
    seed: int = 0  # for faults with a probability

    def refusal(self, case: RefusalCase) -> Refused:
        """Return the exception with which Connect refuses such a call."""
        if answer := self.answers.get(case):
            return Refused(answer["error"], answer["message"], answer["status"])
        return Refused(*_DEFAULT_ANSWERS[case])


_ANSWER_MEMBERS: Mapping[str, Callable[[object], bool]] = {
    "status": whole_number(400, 599),
    "error": text,
    "message": lambda value: isinstance(value, str),
}


def _answers(value: object) -> bool:
    return isinstance(value, dict) and all(
        case in set(RefusalCase)
        and isinstance(answer, dict)
        and answer.keys() == _ANSWER_MEMBERS.keys()
        and all(allows(answer[name]) for name, allows in _ANSWER_MEMBERS.items())
        for case, answer in value.items()
    )


_RATE = Rule(number(math.ulp(0)), "a number above 0, in requests a second")
_BURST = Rule(whole_number(1), "a whole number of requests, 1 or more")
_SECONDS = Rule(number(0), "a number of seconds, 0 or more")
_RULES = {
    "rate": _RATE,
    "burst": _BURST,
    "create_rate": _RATE,
    "create_burst": _BURST,
    "contact_rate": _RATE,
    "contact_burst": _BURST,
    "latency_ms": Rule(number(0), "a number of milliseconds, 0 or more"),
    "repeat": Rule(one_of("same_contact", "conflict"), '"same_contact" or "conflict"'),
    "used_draft": Rule(one_of("refuse", "send"), '"refuse" or "send"'),
    "unknown_sender": Rule(one_of("refuse", "send"), '"refuse" or "send"'),
    "refusals": Rule(one_of("forget", "remember"), '"forget" or "remember"'),
    "answers": Rule(_answers, f"status, error and message for any of {', '.join(RefusalCase)}"),
    "email_addresses": Rule(texts, "a list of addresses"),
    "repeated_create": Rule(
        one_of("same_contact", "new_contact", "conflict"), '"same_contact", "new_contact" or "conflict"'
    ),
    "token_scope": Rule(one_of("token", "token_and_contact"), '"token" or "token_and_contact"'),
    "checked_first": Rule(one_of("token", "contact"), '"token" or "contact"'),
    "stop": Rule(one_of("stop", "refuse", "ignore"), '"stop", "refuse" or "ignore"'),
    "appear_seconds": _SECONDS,
    "capacity": Rule(whole_number(0), "a whole number of emails, 0 or more"),
    "active_seconds": _SECONDS,
    "user_drafts": Rule(whole_number(0), "a whole number of drafts, 0 or more"),
    "instance_id": Rule(text, "an instance id, as a string"),
    "seed": Rule(whole_number(), "a whole number"),
}


def checked_settings(changes: object) -> dict[str, Any]:
    """Return the changed settings by name.

    Raises:
        ControlCallError: A setting is unknown or out of range.
    """
    return checked_members(changes, _RULES)


# A file of `courier doctor --send-test`

_OK, _SERVER_ERROR = 200, 500
_TEMPORARY = {402, 403, 408, 429}
_MASKED_NUMBER = re.compile(r"\bN\b")
"""The file has N in place of each number. The emulated Connect answers with a number, which is then masked again."""


def settings_from_answers(file: Path) -> dict[str, Any]:
    """Return settings with which the emulated Connect answers as Connect did in a send test.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not one that `courier doctor --send-test` has written.
    """
    try:
        answers = json.loads(file.read_text())["answers"]
        return _settings_from({name: answer for name, answer in answers.items() if _is_final(answer)})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{file} is not a file that courier doctor --send-test has written.") from error


def _settings_from(answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Turn answers, by the names of the test's calls, into settings. Without an answer, a setting has its default."""
    settings: dict[str, Any] = {}
    refusals: dict[str, object] = {}
    for name, setting, accepted, refused, case in (
        ("bad_body", "unknown_sender", "send", "refuse", RefusalCase.UNKNOWN_SENDER),
        ("repeat", "repeat", "same_contact", "conflict", RefusalCase.REPEAT),
        ("spent_contact", "used_draft", "send", "refuse", RefusalCase.SPENT_CONTACT),
    ):
        if answer := answers.get(name):
            settings[setting] = accepted if answer["status"] == _OK else refused
            refusals |= _refusal(case, answer)
    if answer := answers.get("mended_body"):
        new_token_helped = "mended_body_new_token" in answers and answers["mended_body_new_token"]["status"] == _OK
        if answer["status"] == _OK:
            settings["refusals"] = "forget"
        elif new_token_helped:
            settings["refusals"] = "remember"
            refusals |= _refusal(RefusalCase.REMEMBERED_REFUSAL, answer)
    if answer := answers.get("wrong_contact"):
        refusals |= _refusal(RefusalCase.WRONG_CONTACT, answer)
    return {**settings, "answers": refusals}


def _refusal(case: RefusalCase, answer: Mapping[str, Any]) -> dict[str, object]:
    if answer["status"] == _OK:
        return {}
    message = _MASKED_NUMBER.sub("1", answer["message"])
    return {case: {"status": answer["status"], "error": answer["error"], "message": message}}


def _is_final(answer: Mapping[str, Any]) -> bool:
    """Return False for a time-out and for a temporary error: they do not show what Connect decides."""
    status = answer["status"]
    return status is not None and status < _SERVER_ERROR and status not in _TEMPORARY
