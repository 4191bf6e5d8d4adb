"""Settings that can be changed while it runs (PUT /_local/settings)."""

import math
from dataclasses import dataclass
from typing import Any

from local.connect.instance.checked_input import Rule, checked_members, number, one_of, text, whole_number


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
    capacity: int = 1000  # concurrently active emails
    active_seconds: float = 0  # how long an email counts as active; 0: never
    instance_id: str = "11111111-2222-3333-4444-555555555555"
    seed: int = 0  # for the draws of faults with a probability


_RULES = {
    "rate": Rule(number(math.ulp(0)), "a number above 0, in requests a second"),
    "burst": Rule(whole_number(1), "a whole number of requests, from 1"),
    "latency_ms": Rule(number(0), "a number of milliseconds, from 0"),
    "repeat": Rule(one_of("same_contact", "conflict"), '"same_contact" or "conflict"'),
    "used_draft": Rule(one_of("refuse", "send"), '"refuse" or "send"'),
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
