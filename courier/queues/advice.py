"""What to do about a dead letter, in a line for each reason; docs/runbook.md says more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.dead_letter import Reason
from courier.queues.letter import MOVED_BY_SQS

if TYPE_CHECKING:
    from collections.abc import Mapping

ADVICE: Mapping[str, str] = {
    Reason.INVALID_REPLY: "Have the producer send it again, mended; or mend it: courier dlq edit ID",
    Reason.INVALID_PAYLOAD: "Have the producer send it again; or write it anew: courier dlq edit ID",
    Reason.PAYLOAD_NOT_FOUND: "Have the producer send it again under its ClientToken, then: courier dlq discard ID",
    Reason.RECIPIENT_NOT_ALLOWED: "Nothing, if the stack is not for production or a wrong text is being taken back "
    "(docs/runbook.md); else correct allowedRecipients, deploy, and: courier dlq replay --reason RecipientNotAllowed",
    Reason.INVALID_CLIENT_TOKEN: "Have the producer send it again with a right token; or send it without: "
    "courier dlq edit ID",
    Reason.INVALID_REQUEST: "Read Connect's words (courier dlq show ID). A spent draft: its producer makes another; "
    "else mend it: courier dlq edit ID",
    Reason.NOT_FOUND: "Restore the contact or template (an expired draft: docs/runbook.md, NotFound), then: "
    "courier dlq replay --reason NotFound --canary 5",
    Reason.TOKEN_ALREADY_USED: "Ask whether the customer has it. If so: courier dlq discard ID. If surely not: "
    "courier dlq edit --new-token ID",
    Reason.TOKEN_TOO_OLD: "Ask whether the customer has it. If so: courier dlq discard ID. If not: "
    "courier dlq replay --force ID",
    Reason.REFUSED: "Read Connect's words (courier dlq show ID), mend the cause, then: courier dlq replay ID",
    Reason.RETRIES_EXHAUSTED: "When the cause is over: courier dlq replay --reason RetriesExhausted --rate 2",
    MOVED_BY_SQS: "The function never came to it, or it is too large. Mend that, then: "
    "courier dlq replay --reason MovedBySqs",
}
OTHER = "The reason is not one of ours: courier dlq show ID"


def advice(reason: str | None, letter_id: str) -> str:
    """What to do about a letter with this reason."""
    return ADVICE.get(reason or "", OTHER).replace(" ID", f" {letter_id}")
