"""A story as `courier trace --json` writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract.client_token import iso
from courier.queues.letter import printable_identifier

if TYPE_CHECKING:
    from courier.tracing.story import Step, Story


def story_json(story: Story) -> dict[str, Any]:
    """The story; of its names only those that are identifiers."""
    ending = story.ending
    return {
        "client_token": story.token,
        "contact_ids": sorted(story.contact_ids),
        "place": ending.place,
        "at": None if ending.at is None else iso(ending.at),
        "why": ending.why,
        "sentence": ending.sentence,
        "steps": [_step(step) for step in story.steps],
        "letters": [
            {"id": letter.id, "reason": printable_identifier(letter.reason), "sent_at": iso(letter.sent_at)}
            for letter in story.letters
        ],
    }


def _step(step: Step) -> dict[str, Any]:
    line = step.line
    return {
        "at": iso(step.at),
        "event": step.what,
        "message_id": step.message_id,
        "receive_count": line.receive_count if line else None,
        "receives": step.receives,
        "is_replay": step.is_replay,
        "cause": line.cause if line else None,
        "reason": line.reason if line else None,
        "error": line.error if line else None,
        "connect_request_id": line.connect_request_id if line else None,
        "seconds": line.seconds if line else None,
    }
