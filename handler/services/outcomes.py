"""Tells an event bus what became of replies, after Connect or the dead-letter queue has taken them."""

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
"""What it takes when every try times out."""
MAX_ENTRIES = 10
"""Events of one PutEvents (Amazon EventBridge quotas)."""
SOURCE = "reply-courier"
VERSION = "1"
SENT, DEAD_LETTERED = "Reply Sent", "Reply Dead-Lettered"


def client() -> EventBridgeClient:
    """The client: short time-outs and one try, since what it does not take is tried again here."""
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
    """The outcomes of one invocation, on their way to the event bus; one for each execution environment.

    An outcome that the bus does not take is counted and lost: its reply has been sent, so its message must not come
    back. Those of an invocation that is cut off do come back: an outcome may be told twice, with the same metadata.id.

    Attributes:
        bus: The event bus's name; empty tells nobody.
        events: The client, made when there is something to tell.
        observability: Counts what is lost.
        now: Seconds since the epoch.
        sleep: Waits a number of seconds.
    """

    bus: str
    events: Callable[[], EventBridgeClient]
    observability: Observability
    now: Callable[[], float]
    sleep: Callable[[float], None]
    _noted: list[PutEventsRequestEntryTypeDef] = field(default_factory=list)

    def note(self, message: Message, verdict: Sent | AlreadySent | DeadLetter) -> None:
        """Note an outcome that is certain."""
        if self.bus:
            self._noted.append(
                {
                    "EventBusName": self.bus,
                    "Source": SOURCE,
                    "DetailType": DEAD_LETTERED if isinstance(verdict, DeadLetter) else SENT,
                    "Detail": json.dumps(detail(message, verdict, self.now())),
                }
            )

    def tell(self, seconds_left: Callable[[], float]) -> None:
        """Put what is noted on the bus, before its messages are done. Nothing is raised.

        Args:
            seconds_left: Seconds until Lambda ends the invocation.
        """
        noted, self._noted = self._noted, []
        for first in range(0, len(noted), MAX_ENTRIES):
            self._put(noted[first : first + MAX_ENTRIES], seconds_left)

    def _put(self, entries: list[PutEventsRequestEntryTypeDef], seconds_left: Callable[[], float]) -> None:
        why = "NoTimeLeft"
        for pause in PAUSES:
            if seconds_left() < pause + TRY_SECONDS:
                break
            self.sleep(pause)
            try:
                answers = self.events().put_events(Entries=entries)["Entries"]
                refusals = [answer.get("ErrorCode", "") for answer in answers]
                entries = [entry for entry, refusal in zip(entries, refusals, strict=True) if refusal]
                why = max(refusals, default="")  # any one of them
            except ClientError as refused:
                why = refused.response["Error"].get("Code", "")
            except Exception as failed:  # noqa: BLE001 - whatever it was, the replies are sent and must not come back
                why = type(failed).__name__
            if not entries:
                return
        self.observability.outcomes_lost(len(entries), why)


def detail(message: Message, verdict: Sent | AlreadySent | DeadLetter, now: float) -> dict[str, object]:
    """An event's detail: ids alone (contract/reply_sent.schema.json, reply_dead_lettered.schema.json).

    The message id names the outcome, and not the token: a reply that comes back is dead-lettered anew, with a new id.
    A token that could be an address is left out.
    """
    outcome = type(verdict).__name__
    token = _token(message)
    contact_id = verdict.contact_id if isinstance(verdict, Sent) else ""
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
        },
    }


def _token(message: Message) -> str | None:
    try:
        token = message.client_token()
    except ClientTokenError:
        return None
    return token if is_identifier(token) else None
