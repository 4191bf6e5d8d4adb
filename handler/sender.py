"""From a message to a verdict: what must not be tried, token, contract, pace, and the call to Connect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from contract.client_token import ClientTokenError, iso, token_expired
from contract.dead_letter import Reason, has_room
from contract.recipients import first_disallowed_recipient
from contract.reply import InvalidReplyError, parse
from handler.services import connect, outcomes, sqs
from handler.verdict import AlreadySent, Cause, DeadLetter, HandBack, Retry, Sent, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_connect import ConnectClient

    from handler.message import Message
    from handler.observability import Observability
    from handler.pacer import Pacer
    from handler.services.payload import Payloads
    from handler.settings import Settings

ACT_SECONDS = 2 * sqs.CALL_SECONDS + outcomes.CALL_SECONDS
"""What it takes at the most to act on a verdict: the dead-letter queue refuses, SQS hides the message, and the event
bus does not answer."""
CRASH_LOOP_RECEIVES = 10
"""A message received more often than this, and still there long after its retry window, is presumed to crash the
function: whatever Connect had answered, it would be done by then."""

HOLDS_UP_ALL = {Cause.THROTTLED, Cause.ACTIVE_EMAILS_FULL}
"""Every reply would get this answer now, so the function keeps trying this one."""
UNANSWERED = {Cause.UNAVAILABLE, Cause.TIMED_OUT}
"""Tried again once in this invocation, which costs no receive. A second failure may be the reply's own fault, so the
others take their turn."""

NO_ROOM = "The message leaves no room for token and reason (1 MiB in all)."
NOT_ALLOWED = "is not one of the addresses that this stack sends to (its setting allowedRecipients)."
TOO_OLD = (
    "Connect was first asked more than 7 days ago, and may send it twice. If it may: courier dlq replay --force ID."
)
NOT_THE_FIRST_TRY = "The reply may have been sent: this may not have been the first try."


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends what a message asks for, or says why not; one for each execution environment.

    Attributes:
        settings: What the stack has set.
        connect: Sends replies.
        pacer: Holds the environment's share of the quota.
        payloads: Reads the bodies that are in S3.
        observability: Logs, metrics, traces.
        now: Seconds since the epoch.
    """

    settings: Settings
    connect: ConnectClient
    pacer: Pacer
    payloads: Payloads
    observability: Observability
    now: Callable[[], float]

    def send(self, message: Message, seconds_left: Callable[[], float]) -> Verdict:
        """Try to send the reply; nothing is done with the message itself.

        Args:
            message: The message.
            seconds_left: Seconds until Lambda ends the invocation.
        """
        if seconds_left() < ACT_SECONDS:
            return HandBack()
        if dead := self._not_to_be_tried(message):
            return dead
        try:
            token = message.client_token()
        except ClientTokenError as unusable:
            return DeadLetter(Reason.INVALID_CLIENT_TOKEN, str(unusable), asked=False)
        reply = self._reply(message, seconds_left)
        return self._send(message, reply, token, seconds_left) if isinstance(reply, dict) else reply

    def _not_to_be_tried(self, message: Message) -> DeadLetter | None:
        """A dead letter for what must not be tried, whatever its body says."""
        if self._is_presumed_to_crash(message):
            detail = f"Received {message.receive_count} times without coming to an end: it may crash the function."
            return DeadLetter(Reason.RETRIES_EXHAUSTED, detail, asked=False)
        if not has_room(message.id, message.body, message.attributes, iso(self.now())):
            # Unsent, since SQS would have to move it, and a redrive would give it another id: another token.
            return DeadLetter(Reason.INVALID_REPLY, NO_ROOM, asked=False)
        if token_expired(message.protected_since, self.now()):
            return DeadLetter(Reason.TOKEN_TOO_OLD, TOO_OLD, asked=False)
        return None

    def _reply(
        self, message: Message, seconds_left: Callable[[], float]
    ) -> dict[str, Any] | DeadLetter | Retry | HandBack:
        """The request that the message asks for, or why there is none."""
        body = self.payloads.body_of(message, seconds_left() - ACT_SECONDS)
        if isinstance(body, Retry):
            self.observability.not_now(body.cause)
        if not isinstance(body, str):
            return body
        try:
            reply = parse(body, self.settings.instance_arn)
        except InvalidReplyError as invalid:
            return DeadLetter(Reason.INVALID_REPLY, str(invalid), asked=False)
        if recipient := first_disallowed_recipient(reply, self.settings.allowed_recipients):
            return DeadLetter(Reason.RECIPIENT_NOT_ALLOWED, f"{recipient} {NOT_ALLOWED}", asked=False)
        return reply

    def _is_presumed_to_crash(self, message: Message) -> bool:
        """Whether to dead-letter the message before anything that could crash is done with it, and before SQS does."""
        if message.receive_count > self.settings.max_receives:
            return True
        overdue = self.now() - message.first_received_at > self.settings.crash_loop_seconds
        return overdue and message.receive_count > CRASH_LOOP_RECEIVES

    def _send(self, message: Message, reply: dict[str, Any], token: str, seconds_left: Callable[[], float]) -> Verdict:
        """Call Connect at the environment's pace, and again at once where waiting here is better than a new receive."""
        verdict: Verdict = HandBack()
        was_unanswered = False
        while True:
            if seconds_left() < self.pacer.wait_time() + connect.CALL_SECONDS + ACT_SECONDS:
                return verdict
            self.pacer.take()
            verdict = self._call(reply, token, token_is_message_id=message.token_is_message_id)
            if not isinstance(verdict, Retry):
                self.pacer.answered()
                may_have_been_sent = was_unanswered or message.tried_since is not None
                return _with_doubt(verdict) if may_have_been_sent else verdict
            is_unanswered = verdict.cause in UNANSWERED
            self.observability.not_now(verdict.cause)
            self._adjust_pace(verdict.cause)
            if not (verdict.cause in HOLDS_UP_ALL or (is_unanswered and not was_unanswered)):
                return verdict
            was_unanswered = was_unanswered or is_unanswered
            self.observability.call_repeated(message, verdict, self.pacer.wait_time())

    def _call(
        self, reply: dict[str, Any], token: str, *, token_is_message_id: bool
    ) -> Sent | AlreadySent | Retry | DeadLetter:
        with self.observability.call_traced() as subsegment:
            verdict = connect.send(
                self.connect, self.settings.instance_arn, reply, token, token_is_message_id=token_is_message_id
            )
            subsegment.put_annotation("verdict", type(verdict).__name__)
        return verdict

    def _adjust_pace(self, cause: Cause) -> None:
        if cause is Cause.THROTTLED:
            self.pacer.throttled()
        elif cause is Cause.ATTACHMENT_PENDING:
            self.pacer.answered()
        else:
            self.pacer.failed()


def _with_doubt[T: Verdict](verdict: T) -> T:
    """The verdict; a refusal says as well that an earlier try may have been accepted."""
    if isinstance(verdict, DeadLetter):
        return replace(verdict, detail=f"{verdict.detail.removesuffix('.')}. {NOT_THE_FIRST_TRY}")
    return verdict
