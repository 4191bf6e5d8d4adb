"""Replies to send on local AWS. Most are valid. For runs with faults, some cannot be sent."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

type Kind = Literal["sound", "mended", "unknown", "invalid"]
"""The contact of a "mended" reply is created before the redrive. The contact of an "unknown" reply never exists."""

KINDS: dict[Kind, int] = {"sound": 86, "mended": 4, "unknown": 4, "invalid": 6}
"""Per cent."""
MOST_ATTRIBUTES = 10
"""SQS's limit."""


@dataclass(frozen=True)
class Reply:
    """A reply.

    Attributes:
        label: The contact id. Even an invalid body contains it.
        body: The message body.
        kind: The kind, which decides what must happen to the reply.
        attributes: The message attributes, all of type String.
    """

    label: str
    body: str
    kind: Kind
    attributes: Mapping[str, str]


def replies(count: int, rng: Random) -> Iterator[Reply]:
    """Yield random replies. Some have attributes, and some a client token from the producer."""
    for n in range(count):
        label = f"reply-{n:04}"
        (kind,) = rng.choices(list(KINDS), weights=list(KINDS.values()))
        attributes = {f"own-{a}": "x" * rng.randint(1, 50) for a in range(rng.choice((0, 0, 0, 1, 3, MOST_ATTRIBUTES)))}
        if rng.random() < 0.1 and len(attributes) < MOST_ATTRIBUTES:  # noqa: PLR2004 - a tenth of the replies
            attributes["ClientToken"] = f"producer-{label}"
        yield Reply(label, invalid_body(label, rng) if kind == "invalid" else sound_body(label, rng), kind, attributes)


def reply(label: str, text: str = "It is on its way.") -> dict[str, Any]:
    """Return a valid reply to the contact with this id."""
    return {
        "ContactId": label,
        "DestinationEmailAddress": {"EmailAddress": f"{label}@customer.example"},
        "EmailMessage": {
            "MessageSourceType": "RAW",
            "RawMessage": {"Subject": f"Re: {label}", "Body": text, "ContentType": "text/plain"},
        },
    }


def sound_body(label: str, rng: Random) -> str:
    """Return the body of a valid reply."""
    return json.dumps(reply(label, "word " * rng.randint(1, 2000)))


def invalid_body(label: str, rng: Random) -> str:
    """Return a body that breaks the contract."""
    return rng.choice((label, f'{{"ContactId": "{label}"', f'{{"ContactId": "{label}"}}', f'["{label}"]', f'"{label}"'))
