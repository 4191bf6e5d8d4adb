"""What becomes of one message, top to bottom: token, contract, pace, the call, its verdict, and acting on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.exceptions import BotoCoreError, ClientError

from contract.client_token import ClientTokenError
from contract.dead_letter import DoesNotFitError, Reason, has_room
from contract.recipients import not_allowed
from contract.reply import InvalidReplyError, parse
from contract.token_age import iso, may_be_forgotten
from handler import connect, sqs
from handler.verdict import AlreadySent, Cause, DeadLetter, HandBack, Retry, Sent, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from mypy_boto3_connect import ConnectClient
    from mypy_boto3_sqs import SQSClient

    from handler.message import Message
    from handler.observability import Observability
    from handler.pacer import Pacer
    from handler.settings import Settings

ACT_SECONDS = 2 * sqs.CALL_SECONDS
"""What it takes to act on a verdict: the dead-letter queue may refuse, and then SQS has to hide the message."""
CRASH_LOOP_RECEIVES = 10
"""A message received more often than this, and still there long after its retry window, is presumed to crash the
function: whatever Connect had answered, it would be done by then."""
LAST_CHANCE_SECONDS = 3600
"""More than any backoff and any visibility time-out: a message that is to live no longer has no other try."""
DENIED_SECONDS = 1800
"""How long a refused permission is retried: IAM changes take minutes to spread, not hours."""

HOLDS_UP_ALL = {Cause.THROTTLED, Cause.ACTIVE_EMAILS_FULL}
"""Every reply would get this answer now, so the function keeps trying this one."""
UNANSWERED = {Cause.UNAVAILABLE, Cause.TIMED_OUT}
"""Tried again once in this invocation, which costs no receive. A second failure may be the reply's own fault, so the
others take their turn."""

NO_ROOM = "The message leaves no room for token and reason (1 MiB in all)."
NOT_ALLOWED = "is not one of the addresses that this stack sends to (its setting allowedRecipients)."
LAST_CHANCE = "The queue would have deleted it before another try."
TOO_OLD = "Connect was first asked more than 7 days ago, and may send it again: courier --force does so all the same."
MAY_HAVE_BEEN_SENT = "The reply may have been sent: this was not the first try."


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the messages of one invocation share.

    Attributes:
        seconds_left: Seconds until Lambda ends the invocation.
        delete_at_once: Whether a message is deleted as soon as it is done, and not by Lambda after the batch. So it is
            when one of the batch was received before: that one may have crashed the function then, may do it again,
            and a crash prevents the answer to Lambda.
    """

    seconds_left: Callable[[], float]
    delete_at_once: bool


class NotDoneError(Exception):
    """The message has to come back: its id belongs in batchItemFailures."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Delivers messages; one for each execution environment.

    Attributes:
        settings: What the stack has set.
        connect: Sends replies.
        sqs: The client that takes dead letters, hides messages and deletes them; most invocations need none.
        pacer: Holds the environment's share of the quota.
        observability: Logs, metrics, traces.
        now: Seconds since the epoch.
        rng: Jitter.
    """

    settings: Settings
    connect: ConnectClient
    sqs: Callable[[], SQSClient]
    pacer: Pacer
    observability: Observability
    now: Callable[[], float]
    rng: Random

    def deliver(self, message: Message, invocation: Invocation) -> None:
        """Deliver one message. Return when it is done: sent, or taken by the dead-letter queue.

        Raises:
            NotDoneError: It is not done, and stays on its queue.
        """
        match self._outcome(message, invocation):
            case Sent() as sent:
                self.observability.sent(message, sent, self.now())
                self._done(message, invocation)
            case AlreadySent() as sent:
                self.observability.already_sent(message, sent)
                self._done(message, invocation)
            case DeadLetter() as dead:
                self.observability.dead_lettered(message, dead)
                self._done(message, invocation)
            case HandBack() as untouched:
                self.observability.handed_back(message, untouched)
                self._hand_back(message, untouched.seconds, invocation)
            case Retry() as retry:
                seconds = sqs.backoff(message.receive_count, self.rng, retry.cause)
                self.observability.retried(message, retry, seconds)
                self._hand_back(message, seconds, invocation)

    def _outcome(self, message: Message, invocation: Invocation) -> Verdict:
        """What becomes of the message now; a dead letter is on the dead-letter queue already."""
        try:
            verdict = self._decide(message, invocation)
        except Exception as bug:  # noqa: BLE001 - a fault of ours must neither lose the message nor stop its neighbours
            self.observability.failed("reply_failed", message, bug)
            verdict = Retry(Cause.UNEXPECTED, type(bug).__name__)
        match verdict:
            case Retry():
                verdict = self._retry_or_give_up(message, verdict)
            case HandBack() if self._is_last_chance(message) and invocation.seconds_left() >= ACT_SECONDS:
                verdict = DeadLetter(Reason.RETRIES_EXHAUSTED, f"Not tried now. {LAST_CHANCE}", asked=False)
        return self._dead_letter(message, verdict) if isinstance(verdict, DeadLetter) else verdict

    def _decide(self, message: Message, invocation: Invocation) -> Verdict:
        if invocation.seconds_left() < ACT_SECONDS:
            return HandBack(0)
        if held_back := self._held_back(message):
            return held_back
        try:
            token = message.client_token()
            reply = parse(message.body, self.settings.instance_arn)
        except ClientTokenError as unusable:
            return DeadLetter(Reason.INVALID_CLIENT_TOKEN, str(unusable), asked=False)
        except InvalidReplyError as invalid:
            return DeadLetter(Reason.INVALID_REPLY, str(invalid), asked=False)
        if recipient := not_allowed(reply, self.settings.allowed_recipients):
            return DeadLetter(Reason.RECIPIENT_NOT_ALLOWED, f"{recipient} {NOT_ALLOWED}", asked=False)
        return self._send(message, reply, token, invocation)

    def _held_back(self, message: Message) -> DeadLetter | None:
        """A dead letter for what must not be tried, whatever its body says."""
        if self._is_presumed_to_crash(message):
            detail = f"Received {message.receive_count} times without coming to an end: it may crash the function."
            return DeadLetter(Reason.RETRIES_EXHAUSTED, detail, asked=False)
        if not has_room(message.id, message.body, message.attributes, iso(self.now())):
            # Unsent, since SQS would have to move it, and a redrive would give it another id: another token.
            return DeadLetter(Reason.INVALID_REPLY, NO_ROOM, asked=False)
        if may_be_forgotten(message.protected_since, self.now()):
            return DeadLetter(Reason.TOKEN_TOO_OLD, TOO_OLD, asked=False)
        return None

    def _is_presumed_to_crash(self, message: Message) -> bool:
        """Whether to dead-letter the message before anything that could crash is done with it, and before SQS does."""
        if message.receive_count > self.settings.max_receives:
            return True
        overdue = self.now() - message.first_received_at > self.settings.crash_loop_seconds
        return overdue and message.receive_count > CRASH_LOOP_RECEIVES

    def _is_last_chance(self, message: Message) -> bool:
        """Whether the queue may delete the message before it could be tried again."""
        return message.sent_at + self.settings.retention_seconds - self.now() < LAST_CHANCE_SECONDS

    def _send(self, message: Message, reply: dict[str, Any], token: str, invocation: Invocation) -> Verdict:
        """Call Connect at the environment's pace, and again at once where waiting here is better than a new receive."""
        verdict: Verdict = HandBack(0)
        may_have_been_sent = message.tried_since is not None
        tried = False
        while True:
            if invocation.seconds_left() < self.pacer.wait_time() + connect.CALL_SECONDS + ACT_SECONDS:
                return verdict
            self.pacer.take()
            verdict = self._call(reply, token, is_first_life=message.is_first_life)
            if not isinstance(verdict, Retry):
                self.pacer.answered()
                return _may_have_been_sent(verdict) if may_have_been_sent else verdict
            may_have_been_sent = may_have_been_sent or verdict.cause in UNANSWERED
            self._adjust_pace(verdict.cause)
            if not (verdict.cause in HOLDS_UP_ALL or (verdict.cause in UNANSWERED and not tried)):
                return verdict
            tried = True
            self.observability.call_repeated(message, verdict, self.pacer.wait_time())

    def _call(
        self, reply: dict[str, Any], token: str, *, is_first_life: bool
    ) -> Sent | AlreadySent | Retry | DeadLetter:
        with self.observability.call_traced() as subsegment:
            verdict = connect.send(self.connect, self.settings.instance_arn, reply, token, is_first_life=is_first_life)
            subsegment.put_annotation("verdict", type(verdict).__name__)
        return verdict

    def _adjust_pace(self, cause: Cause) -> None:
        self.observability.not_now(cause)
        if cause is Cause.THROTTLED:
            self.pacer.throttled()
        elif cause is Cause.ATTACHMENT_PENDING:
            self.pacer.answered()
        else:
            self.pacer.failed()

    def _retry_or_give_up(self, message: Message, retry: Retry) -> Retry | DeadLetter:
        """The retry, or a dead letter where the retry window is over."""
        window = self.settings.retry_seconds
        if retry.cause is Cause.ACCESS_DENIED:
            window = min(window, DENIED_SECONDS)
        if self._is_last_chance(message):
            return DeadLetter(Reason.RETRIES_EXHAUSTED, f"Last: {retry.detail} {LAST_CHANCE}", retry.request_id)
        if self.now() - message.first_received_at > window:
            return DeadLetter(Reason.RETRIES_EXHAUSTED, f"Last: {retry.detail}", retry.request_id)
        return retry

    def _dead_letter(self, message: Message, verdict: DeadLetter) -> DeadLetter | Retry | HandBack:
        """The verdict, once the dead-letter queue has the message; otherwise what keeps it on its own queue."""
        was_tried = verdict.asked or message.receive_count > 1
        tried = iso(min(message.first_received_at, self.now())) if was_tried else None
        try:
            sqs.send_dead_letter(self.sqs(), self.settings.dead_letter_queue_url, message, verdict, tried)
        except DoesNotFitError as too_large:
            self.observability.failed("dead_letter_failed", message, too_large)
            return HandBack(0)  # until SQS itself moves it, as it is, after the queue's maxReceiveCount
        except Exception as refused:  # noqa: BLE001 - whatever the reason, the message is not there: it must stay
            self.observability.failed("dead_letter_failed", message, refused)
            return Retry(Cause.DEAD_LETTER_QUEUE_UNAVAILABLE, verdict.detail, verdict.request_id)
        return verdict

    def _done(self, message: Message, invocation: Invocation) -> None:
        """Delete the message now if the invocation says so; otherwise Lambda deletes it with its batch."""
        if not invocation.delete_at_once:
            return
        try:
            sqs.delete(self.sqs(), self.settings.queue_url, message)
        except (BotoCoreError, ClientError) as refused:
            self.observability.failed("not_deleted_at_once", message, refused)

    def _hand_back(self, message: Message, seconds: int, invocation: Invocation) -> NoReturn:
        """Make the message come back after `seconds`; failing that, it does after the queue's visibility time-out.

        Raises:
            NotDoneError: Always.
        """
        if invocation.seconds_left() >= sqs.CALL_SECONDS:
            try:
                sqs.hide(self.sqs(), self.settings.queue_url, message, seconds)
            except (BotoCoreError, ClientError) as refused:
                self.observability.failed("visibility_unchanged", message, refused)
        raise NotDoneError


def _may_have_been_sent[T: Verdict](verdict: T) -> T:
    """The verdict; a refusal says as well that an earlier try may have been accepted."""
    if isinstance(verdict, DeadLetter):
        return replace(verdict, detail=f"{verdict.detail} {MAY_HAVE_BEEN_SENT}")
    return verdict
