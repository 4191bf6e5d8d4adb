"""Replies to send on local AWS. Most are valid. For runs with faults, some cannot be sent."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

type Kind = Literal["sound", "mended", "unknown", "invalid"]
"""The contact of a "mended" reply is created before the redrive. The contact of an "unknown" reply never exists.

If the function makes the draft, it's not the contact but the sender that is created, or never exists.
"""

KINDS: dict[Kind, int] = {"sound": 86, "mended": 4, "unknown": 4, "invalid": 6}
"""Per cent."""
SENDERS: dict[Kind, str] = {"mended": "new-shop@bicycles.example", "unknown": "nobody@bicycles.example"}
"""Who sends a reply whose draft the function makes. Others are sent from the instance's own address."""
MOST_ATTRIBUTES = 10
"""SQS's limit."""


@dataclass(frozen=True)
class Reply:
    """A reply.

    Attributes:
        label: The contact id; if the function makes the draft, that of the email which is answered. Even an invalid
            body contains it.
        body: The message body.
        kind: The kind, which decides what must happen to the reply.
        attributes: The message attributes, all of type String.
        makes_draft: Whether the function makes the draft (CreateContact).
    """

    label: str
    body: str
    kind: Kind
    attributes: Mapping[str, str]
    makes_draft: bool = False


def replies(count: int, rng: Random, drafts: float = 0) -> Iterator[Reply]:
    """Yield random replies. Some have attributes, and some a client token from the producer.

    Args:
        count: How many.
        rng: Decides about everything random.
        drafts: The share of replies whose draft the function makes.
    """
    for n in range(count):
        label = f"reply-{n:04}"
        (kind,) = rng.choices(list(KINDS), weights=list(KINDS.values()))
        attributes = {f"own-{a}": "x" * rng.randint(1, 50) for a in range(rng.choice((0, 0, 0, 1, 3, MOST_ATTRIBUTES)))}
        if rng.random() < 0.1 and len(attributes) < MOST_ATTRIBUTES:  # noqa: PLR2004 - a tenth of the replies
            attributes["ClientToken"] = f"producer-{label}"
        makes_draft = drafts > 0 and rng.random() < drafts
        if kind == "invalid":
            body = invalid_body(label, rng)
        else:
            sender = SENDERS.get(kind) if makes_draft else None
            body = sound_body(label, rng, makes_draft=makes_draft, sender=sender)
        yield Reply(label, body, kind, attributes, makes_draft)


def reply(
    label: str, text: str = "It is on its way.", *, makes_draft: bool = False, sender: str | None = None
) -> dict[str, Any]:
    """Return a valid reply on the contact with this id, or on a draft that the function makes to answer it."""
    return {
        **({"CreateContact": {"RelatedContactId": label}} if makes_draft else {"ContactId": label}),
        **({"FromEmailAddress": {"EmailAddress": sender}} if sender else {}),
        "DestinationEmailAddress": {"EmailAddress": f"{label}@customer.example"},
        "EmailMessage": {
            "MessageSourceType": "RAW",
            "RawMessage": {"Subject": f"Re: {label}", "Body": text, "ContentType": "text/plain"},
        },
    }


def sound_body(label: str, rng: Random, *, makes_draft: bool = False, sender: str | None = None) -> str:
    """Return the body of a valid reply."""
    return json.dumps(reply(label, "word " * rng.randint(1, 2000), makes_draft=makes_draft, sender=sender))


def invalid_body(label: str, rng: Random) -> str:
    """Return a body that breaks the contract."""
    return rng.choice((label, f'{{"ContactId": "{label}"', f'{{"ContactId": "{label}"}}', f'["{label}"]', f'"{label}"'))
