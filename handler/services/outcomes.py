"""Publishes on an event bus what became of replies, after Connect or the dead-letter queue has taken them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from contract.client_token import ClientTokenError, is_identifier, iso
from handler.verdict import AlreadySent, DeadLetter, Sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

    from handler.message import Message
    from handler.observability import Observability

CONNECT_TIMEOUT = 1
READ_TIMEOUT = 2
PAUSES = (0.0, 0.2, 0.8)
"""Seconds before each try."""
TRY_SECONDS = CONNECT_TIMEOUT + READ_TIMEOUT
CALL_SECONDS = len(PAUSES) * TRY_SECONDS + sum(PAUSES)
"""The longest time that publishing takes: every try times out."""
MAX_ENTRIES = 10
"""Events of one PutEvents (Amazon EventBridge quotas)."""
SOURCE = "reply-courier"
VERSION = "1"
SENT, DEAD_LETTERED = "Reply Sent", "Reply Dead-Lettered"


def client() -> EventBridgeClient:
    """Make the client: short timeouts and one try, since _put tries again what failed."""
    return boto3.client(
        "events",
        config=Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": 1},
        ),
    )


@dataclass
class Outcomes:
    """Collects the outcomes of an invocation, and publishes them; one for each execution environment.

    An outcome that the bus refuses is counted and lost: its message is done, so it must not be received again. If an
    invocation is cut off, its messages are received again, and an outcome may be published twice, with the same
    metadata.id.

    Attributes:
        event_bus_name: The event bus; if empty, nothing is published.
        events: Makes the client when there is something to publish.
        observability: Counts lost outcomes.
        now: Seconds since the epoch.
        sleep: Waits a number of seconds.
    """

    event_bus_name: str
    events: Callable[[], EventBridgeClient]
    observability: Observability
    now: Callable[[], float]
    sleep: Callable[[float], None]
    _pending: list[PutEventsRequestEntryTypeDef] = field(default_factory=list)

    def record(self, message: Message, verdict: Sent | AlreadySent | DeadLetter) -> None:
        """Add an outcome, once it is certain."""
        if self.event_bus_name:
            self._pending.append(
                {
                    "EventBusName": self.event_bus_name,
                    "Source": SOURCE,
                    "DetailType": DEAD_LETTERED if isinstance(verdict, DeadLetter) else SENT,
                    "Detail": json.dumps(event_detail(message, verdict, self.now())),
                }
            )

    def publish(self, seconds_left: Callable[[], float]) -> None:
        """Put the recorded outcomes on the bus. Nothing is raised.

        Args:
            seconds_left: Seconds until Lambda ends the invocation.
        """
        pending, self._pending = self._pending, []
        for first in range(0, len(pending), MAX_ENTRIES):
            self._put(pending[first : first + MAX_ENTRIES], seconds_left)

    def _put(self, entries: list[PutEventsRequestEntryTypeDef], seconds_left: Callable[[], float]) -> None:
        error_code = "NoTimeLeft"
        for pause in PAUSES:
            if seconds_left() < pause + TRY_SECONDS:
                break
            self.sleep(pause)
            try:
                answers = self.events().put_events(Entries=entries)["Entries"]
                refusals = [answer.get("ErrorCode", "") for answer in answers]
                entries = [entry for entry, refusal in zip(entries, refusals, strict=True) if refusal]
                error_code = max(refusals, default="")  # any of them
            except ClientError as error:
                error_code = error.response["Error"].get("Code", "")
            except Exception as error:  # noqa: BLE001 - whatever it was, the messages are done
                error_code = type(error).__name__
            if not entries:
                return
        self.observability.outcomes_lost(len(entries), error_code)


def event_detail(message: Message, verdict: Sent | AlreadySent | DeadLetter, now: float) -> dict[str, object]:
    """Return an event's detail, which has ids only (contract/reply_sent.schema.json, reply_dead_lettered.schema.json).

    The message id identifies the outcome, not the token: a replayed reply has a new message id and may have another
    outcome. A token that could be an address is left out.
    """
    outcome = type(verdict).__name__
    token = _token(message)
    contact_id = verdict.contact_id if isinstance(verdict, Sent) else ""
    draft = verdict.draft
    return {
        "metadata": {"id": f"{message.id}/{outcome}", "version": VERSION, "time": iso(now)},
        "data": {
            "client_token": token,
            "contact_id": contact_id if is_identifier(contact_id) else None,
            "message_id": message.id,
            "outcome": outcome,
            "reason": verdict.reason if isinstance(verdict, DeadLetter) else None,
            "receive_count": message.receive_count,
            "connect_request_id": verdict.request_id or None,
            "draft": draft
            and {
                "contact_id": draft.contact_id if is_identifier(draft.contact_id) else None,
                "made_at": iso(draft.made_at),
                "is_new": draft.is_new,
                "is_stopped": draft.is_stopped,
            },
        },
    }


def _token(message: Message) -> str | None:
    try:
        token = message.client_token()
    except ClientTokenError:
        return None
    return token if is_identifier(token) else None
