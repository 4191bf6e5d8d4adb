"""Decides what becomes of a message: the checks before an attempt, the attempts at the pace, and the final verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from contract.client_token import ClientTokenError, iso, token_expired
from contract.dead_letter import Reason, has_room
from contract.recipients import first_disallowed_recipient
from contract.reply import InvalidReplyError, parse
from handler.services import connect, outcomes, sqs
from handler.verdict import (
    AlreadySent,
    Cause,
    Claim,
    DeadLetter,
    HandBack,
    Retry,
    Sent,
    Verdict,
    final_verdict,
    may_have_been_sent,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_connect import ConnectClient

    from handler.drafts import Drafts
    from handler.message import Message
    from handler.observability import Observability
    from handler.pacer import Pacer
    from handler.services.payload import Payloads
    from handler.settings import Settings

ACT_SECONDS = 2 * sqs.CALL_SECONDS + outcomes.CALL_SECONDS
"""The longest time that acting on a verdict takes: the dead-letter queue refuses the message, SQS hides it, and the
event bus does not answer."""
CRASH_LOOP_RECEIVES = 10
"""A message that was received more often than this, long after its retry window, is presumed to crash the function.
Whatever Connect had answered, the message would be done by then."""

BLOCKS_ALL_REPLIES = {Cause.THROTTLED, Cause.ACTIVE_EMAILS_FULL}
"""Connect would answer every reply like this now, so the function keeps trying the same one."""
UNANSWERED = {Cause.UNAVAILABLE, Cause.TIMED_OUT}
"""Attempted once more in this invocation, which costs no receive. A second failure may be due to the reply itself, so
others take their turn."""

NO_ROOM = "The message leaves no room for token and reason (1 MiB in all)."
NOT_ALLOWED = "is not one of the addresses that this stack sends to (its setting allowedRecipients)."
TOO_OLD = (
    "Connect was first called almost 7 days ago and could send the reply twice. If it may be sent twice: "
    "courier dlq replay --force ID."
)
NOT_THE_FIRST_ATTEMPT = "The reply may have been sent: this may not have been the first attempt."
TOO_NEW = "Connect does not know the draft yet"


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends the reply of a message, or decides why not; one for each execution environment.

    Attributes:
        settings: What the stack has set.
        connect: Connect's client.
        pacer: Keeps the environment's share of the quota.
        payloads: Reads bodies from S3.
        drafts: Makes the drafts of replies with CreateContact; loaded with the first such reply.
        observability: Logs, metrics, traces.
        now: Seconds since the epoch.
    """

    settings: Settings
    connect: ConnectClient
    pacer: Pacer
    payloads: Payloads
    drafts: Callable[[], Drafts]
    observability: Observability
    now: Callable[[], float]

    def send(self, message: Message, seconds_left: Callable[[], float]) -> Verdict:
        """Try to send the reply, and return the final verdict. The message itself stays untouched. Nothing is raised.

        Args:
            message: The message.
            seconds_left: Seconds until Lambda ends the invocation.
        """
        try:
            return self._send(message, seconds_left)
        except Exception as error:  # noqa: BLE001 - a bug must not lose the message, nor retry it for ever
            self.observability.failed("unexpected_error", message, error)
            unexpected = Retry(Cause.UNEXPECTED, type(error).__name__, may_have_been_sent=True)
            return self._final(unexpected, message, seconds_left)

    def _send(self, message: Message, seconds_left: Callable[[], float]) -> Verdict:
        """Check the message, and attempt to send its reply: on the producer's contact, or on a draft made now."""
        checked = self._check(message, seconds_left)
        if not isinstance(checked, tuple):
            return self._final(checked, message, seconds_left)
        reply, token = checked
        if "CreateContact" in reply:
            return self._send_on_new_draft(message, reply, token, seconds_left)
        if token_expired(message.tried_since, self.now()):
            expired = DeadLetter(Reason.TOKEN_TOO_OLD, TOO_OLD, connect_called=False)
            return self._final(expired, message, seconds_left)
        return self._final(self._attempts(message, reply, token, seconds_left), message, seconds_left)

    def _send_on_new_draft(
        self, message: Message, reply: dict[str, Any], token: str, seconds_left: Callable[[], float]
    ) -> Verdict:
        """Claim the reply's draft before the first attempt, and release it after the final verdict."""
        claim = self.drafts().claim(message, reply, token, seconds_left)
        if not isinstance(claim, Claim):
            return self._final(claim, message, seconds_left)
        reply["ContactId"] = claim.draft.contact_id
        del reply["CreateContact"]
        attempted = self._attempts(message, reply, token, seconds_left, claim)
        verdict = self._final(attempted, message, seconds_left)
        return self.drafts().release(message, claim, verdict)

    def _final(self, verdict: Verdict, message: Message, seconds_left: Callable[[], float]) -> Verdict:
        has_time = seconds_left() >= ACT_SECONDS
        return final_verdict(verdict, message, self.settings, self.now(), has_time=has_time)

    def _check(
        self, message: Message, seconds_left: Callable[[], float]
    ) -> tuple[dict[str, Any], str] | DeadLetter | Retry | HandBack:
        """Return the reply and its client token, or a verdict if there is nothing to attempt."""
        if seconds_left() < ACT_SECONDS:
            return HandBack()
        if dead := self._dead_before_reading(message):
            return dead
        try:
            token = message.client_token()
        except ClientTokenError as error:
            return DeadLetter(Reason.INVALID_CLIENT_TOKEN, str(error), connect_called=False)
        reply = self._reply(message, seconds_left)
        return (reply, token) if isinstance(reply, dict) else reply

    def _dead_before_reading(self, message: Message) -> DeadLetter | None:
        """Return a verdict on what must not be attempted, whatever its body says."""
        if self._is_presumed_to_crash(message):
            detail = f"Received {message.receive_count} times, but never finished: it may crash the function."
            return DeadLetter(Reason.RETRIES_EXHAUSTED, detail, connect_called=False)
        if not has_room(message.id, message.body, message.attributes, iso(self.now())):
            # Not sent: SQS would have to move it, and a redrive would then give it another id and thus another token.
            return DeadLetter(Reason.INVALID_REPLY, NO_ROOM, connect_called=False)
        return None

    def _is_presumed_to_crash(self, message: Message) -> bool:
        """Return whether to dead-letter the message, before SQS does, without doing anything that could crash."""
        if message.receive_count > self.settings.max_receives:
            return True
        is_overdue = self.now() - message.first_received_at > self.settings.crash_loop_seconds
        return is_overdue and message.receive_count > CRASH_LOOP_RECEIVES

    def _reply(
        self, message: Message, seconds_left: Callable[[], float]
    ) -> dict[str, Any] | DeadLetter | Retry | HandBack:
        """Return the request for Connect, or the verdict if there is none."""
        body = self.payloads.read_body(message, seconds_left() - ACT_SECONDS)
        if isinstance(body, Retry):
            self.observability.count_cause(body.cause)
        if not isinstance(body, str):
            return body
        try:
            reply = parse(body, self.settings.instance_arn)
        except InvalidReplyError as error:
            return DeadLetter(Reason.INVALID_REPLY, str(error), connect_called=False)
        if recipient := first_disallowed_recipient(reply, self.settings.allowed_recipients):
            return DeadLetter(Reason.RECIPIENT_NOT_ALLOWED, f"{recipient} {NOT_ALLOWED}", connect_called=False)
        return reply

    def _attempts(
        self,
        message: Message,
        reply: dict[str, Any],
        token: str,
        seconds_left: Callable[[], float],
        claim: Claim | None = None,
    ) -> Verdict:
        """Call Connect at the pace, and again in this invocation if waiting here is better than another receive.

        With a claimed draft, the first attempt has its turn and its time already.
        """
        drafts = self.drafts() if claim else None
        call_seconds = connect.CALL_SECONDS + (drafts.seconds_after_attempt if drafts else ACT_SECONDS)
        was_tried = claim.is_doubted if claim else message.tried_since is not None
        has_turn = claim is not None
        may_be_sent = was_unanswered = was_too_new = False
        verdict: Verdict = HandBack()
        while has_turn or seconds_left() >= self.pacer.wait_time() + call_seconds:
            if not has_turn:
                self.pacer.acquire()
            has_turn = False
            was_tried = was_tried or may_be_sent
            verdict = self._attempt(message, reply, token, knows_token=was_tried or claim is None)
            may_be_sent = may_be_sent or may_have_been_sent(verdict)
            if isinstance(verdict, (Retry, DeadLetter)):
                verdict = replace(verdict, may_have_been_sent=may_be_sent)
            if drafts and claim:
                drafts.attempted(verdict)
                if not was_too_new and drafts.may_be_too_new(claim.draft, verdict):
                    was_too_new = True
                    verdict = Retry(Cause.CONTACT_NOT_YET_KNOWN, TOO_NEW, may_have_been_sent=may_be_sent)
            if not isinstance(verdict, Retry):
                self.pacer.answered()
                return _with_doubt(verdict) if was_tried else verdict
            self.observability.count_cause(verdict.cause)
            self._adjust_pace(verdict.cause)
            if not self._goes_on(verdict.cause, claim, was_unanswered=was_unanswered):
                return verdict
            was_unanswered = was_unanswered or verdict.cause in UNANSWERED
            self.observability.attempt_failed(message, verdict, self.pacer.wait_time())
        return verdict

    def _goes_on(self, cause: Cause, claim: Claim | None, *, was_unanswered: bool) -> bool:
        """Return whether to attempt the same reply again in this invocation."""
        if cause is Cause.CONTACT_NOT_YET_KNOWN and claim:
            return self.drafts().is_known(claim.draft)
        return cause in BLOCKS_ALL_REPLIES or (cause in UNANSWERED and not was_unanswered)

    def _attempt(
        self, message: Message, reply: dict[str, Any], token: str, *, knows_token: bool
    ) -> Sent | AlreadySent | Retry | DeadLetter:
        with self.observability.call_traced("StartOutboundEmailContact") as subsegment:
            verdict = connect.send(
                self.connect,
                self.settings.instance_arn,
                reply,
                token,
                knows_token=knows_token and message.token_is_message_id,
            )
            subsegment.put_annotation("verdict", type(verdict).__name__)
        return verdict

    def _adjust_pace(self, cause: Cause) -> None:
        if cause is Cause.THROTTLED:
            self.pacer.throttled()
        elif cause in {Cause.ATTACHMENT_PENDING, Cause.CONTACT_NOT_YET_KNOWN}:
            self.pacer.answered()
        else:
            self.pacer.failed()


def _with_doubt[T: Verdict](verdict: T) -> T:
    """Return the verdict. The detail of a refusal says that an earlier attempt may have been accepted."""
    if isinstance(verdict, DeadLetter):
        return replace(verdict, detail=f"{verdict.detail.removesuffix('.')}. {NOT_THE_FIRST_ATTEMPT}")
    return verdict
