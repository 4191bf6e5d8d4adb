"""Whether the event bus was told the truth: no event is false, and every reply that ended has one or is counted."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from bench.chaos.tally import Letter


def told_falsely(
    events: Iterable[Mapping[str, Any]], accepted: Collection[str], letters: Collection[Letter]
) -> list[str]:
    """The ids of events that say what is not so.

    Args:
        events: As the event bus gives them to a target.
        accepted: The tokens that Connect has accepted.
        letters: Every dead letter at any time.
    """
    dead = {(letter.token, letter.reason) for letter in letters}
    false = []
    for event in events:
        data = event["detail"]["data"]
        if event["detail-type"] == "Reply Sent":
            is_true = data["client_token"] in accepted
        else:
            is_true = (data["client_token"] or data["message_id"], data["reason"]) in dead
        if not is_true:
            false.append(event["detail"]["metadata"]["id"])
    return false


def untold(
    events: Iterable[Mapping[str, Any]], accepted: Collection[str], letters: Iterable[Letter], lost: int
) -> list[str]:
    """The tokens of replies that ended without an event; none if no more than the function has counted as lost."""
    told = {event["detail"]["data"]["client_token"] or event["detail"]["data"]["message_id"] for event in events}
    missing = sorted({*accepted, *(letter.token for letter in letters)} - told)
    return missing if len(missing) > lost else []


def counted_as_lost(lines: Iterable[str]) -> int:
    """How many outcomes the function says in its log that the bus did not take."""
    return sum(json.loads(line)["outcomes"] for line in lines if '"outcomes_lost"' in line)
