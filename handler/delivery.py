"""One message's way, top to bottom: token, contract, pace, send, verdict, and what the verdict asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.exceptions import BotoCoreError, ClientError

from contract.reply import InvalidReplyError, parse
from handler import connect, dead_letter, redelivery, sqs
from handler.client_token import ClientTokenError, client_token, may_have_been_sent
from handler.message import Message
from handler.verdict import AlreadySent, Cause, DeadLetter, HandBack, Reason, Retry, Sent, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from mypy_boto3_connect import ConnectClient
    from mypy_boto3_sqs import SQSClient

    from handler.batch import Batch
    from handler.observability import Observability
    from handler.pacer import Pacer
    from handler.settings import Settings

ACT_SECONDS = 2 * sqs.CALL_SECONDS
"""What it takes to act on a verdict: the dead-letter queue may refuse, and then the message is put back."""
CRASH_LOOP_RECEIVES = 10
"""More than this, with the retry window over: every attempt should have ended by now, so the last ones never did."""
DENIED_SECONDS = 1800
"""How long a refused permission is retried: IAM changes take minutes to spread, not hours."""

PASSES_FOR_ALL = {Cause.THROTTLED, Cause.ACTIVE_EMAILS_FULL}
"""No reply can be sent now, and this one is as good as any to find out when: it is tried again here."""
MAY_PASS_AT_ONCE = {Cause.UNAVAILABLE, Cause.TIMED_OUT}
"""Tried again here once, which costs no receive. If it fails again it may be the reply's own fault: others follow."""


class NotDoneError(Exception):
    """The message has to come back: its id belongs in batchItemFailures."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Delivers messages; one for each execution environment.

    Attributes:
        settings: What the stack has set.
        connect: Sends replies.
        sqs: Dead-letters messages, and puts them back.
        pacer: Holds the environment's share of the quota.
        observability: Logs, metrics, traces.
        now: Seconds since the epoch.
        rng: Jitter.
    """

    settings: Settings
    connect: ConnectClient
    sqs: SQSClient
    pacer: Pacer
    observability: Observability
    now: Callable[[], float]
    rng: Random

    def deliver(self, record: SQSRecord, batch: Batch) -> None:
        """Bring one message as far as it gets now.

        Returns when it is done: sent, or taken by the dead-letter queue.

        Raises:
            NotDoneError: It is not done, and the queue has it back.
        """
        message = Message.from_record(record.raw_event)
        match self._outcome(message, batch):
            case Sent() as sent:
                self.observability.sent(message, sent, self.now())
                self._done(message, batch)
            case AlreadySent() as sent:
                self.observability.already_sent(message, sent)
                self._done(message, batch)
            case DeadLetter() as dead:
                self.observability.dead_lettered(message, dead)
                self._done(message, batch)
            case HandBack() as untouched:
                self.observability.handed_back(message, untouched)
                self._put_back(message, untouched.seconds, batch)
            case Retry() as retry:
                seconds = redelivery.delay(message.receive_count, self.rng, retry.cause)
                self.observability.retried(message, retry, seconds)
                self._put_back(message, seconds, batch)

    def _outcome(self, message: Message, batch: Batch) -> Verdict:
        """What becomes of the message now; a dead letter is on the dead-letter queue already."""
        try:
            verdict = self._decide(message, batch)
        except Exception as bug:  # noqa: BLE001 - a fault of ours must neither lose the message nor stop its neighbours
            self.observability.failed("reply_failed", message, bug)
            verdict = Retry(Cause.UNEXPECTED, type(bug).__name__)
        if isinstance(verdict, Retry):
            verdict = self._retry_or_give_up(message, verdict)
        return self._dead_letter(message, verdict) if isinstance(verdict, DeadLetter) else verdict

    def _decide(self, message: Message, batch: Batch) -> Verdict:
        if batch.seconds_left() < ACT_SECONDS:
            return HandBack(0)
        if self._never_ends(message):
            detail = f"Received {message.receive_count} times without coming to an end: it may crash the function."
            return DeadLetter(Reason.RETRIES_EXHAUSTED, detail)
        try:
            token = client_token(message)
            reply = parse(message.body, self.settings.instance_arn)
        except ClientTokenError as no_token:
            return DeadLetter(Reason.INVALID_CLIENT_TOKEN, str(no_token))
        except InvalidReplyError as invalid:
            return DeadLetter(Reason.INVALID_REPLY, str(invalid))
        if not dead_letter.has_room(message):
            # Unsent, since SQS would have to move it, and a redrive would give it another id: another token.
            return DeadLetter(Reason.INVALID_REPLY, "The message leaves no room for token and reason (1 MiB in all).")
        return self._send(message, reply, token, batch)

    def _never_ends(self, message: Message) -> bool:
        """Whether to dead-letter the message before anything risky is done with it, and before SQS does."""
        if message.receive_count > self.settings.max_receives:
            return True
        window_over = self.now() - message.first_received_at > self.settings.retry_seconds
        return window_over and message.receive_count > CRASH_LOOP_RECEIVES

    def _send(self, message: Message, reply: dict[str, Any], token: str, batch: Batch) -> Verdict:
        """Call Connect at the environment's pace, and again at once where waiting here is better than a new receive."""
        verdict: Verdict = HandBack(0)
        sent_perhaps = may_have_been_sent(message)
        tried = False
        while True:
            if batch.seconds_left() < self.pacer.wait_time() + connect.CALL_SECONDS + ACT_SECONDS:
                return verdict
            self.pacer.take()
            verdict = self._call(reply, token, may_have_been_sent=sent_perhaps)
            if not isinstance(verdict, Retry):
                self.pacer.answered()
                return verdict
            sent_perhaps = sent_perhaps or verdict.cause in MAY_PASS_AT_ONCE
            self._learn(verdict.cause)
            if not (verdict.cause in PASSES_FOR_ALL or (verdict.cause in MAY_PASS_AT_ONCE and not tried)):
                return verdict
            tried = True
            self.observability.call_repeated(message, verdict, self.pacer.wait_time())

    def _call(
        self, reply: dict[str, Any], token: str, *, may_have_been_sent: bool
    ) -> Sent | AlreadySent | Retry | DeadLetter:
        with self.observability.call_traced() as subsegment:
            verdict = connect.send(
                self.connect, self.settings.instance_arn, reply, token, may_have_been_sent=may_have_been_sent
            )
            subsegment.put_annotation("verdict", type(verdict).__name__)
        return verdict

    def _learn(self, cause: Cause) -> None:
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
        if self.now() - message.first_received_at <= window:
            return retry
        return DeadLetter(Reason.RETRIES_EXHAUSTED, f"Last: {retry.detail}", retry.request_id)

    def _dead_letter(self, message: Message, verdict: DeadLetter) -> DeadLetter | Retry | HandBack:
        """The verdict, once the dead-letter queue has the message; else it goes back, for it must not be lost."""
        try:
            dead_letter.send(self.sqs, self.settings.dead_letter_queue_url, message, verdict, self.now())
        except dead_letter.DoesNotFitError as too_large:
            self.observability.failed("dead_letter_failed", message, too_large)
            return HandBack(0)  # until SQS itself moves it, as it is, after the queue's maxReceiveCount
        except Exception as refused:  # noqa: BLE001 - whatever the reason, the message is not there: it must stay
            self.observability.failed("dead_letter_failed", message, refused)
            return Retry(Cause.DEAD_LETTER_QUEUE_UNAVAILABLE, verdict.detail, verdict.request_id)
        return verdict

    def _done(self, message: Message, batch: Batch) -> None:
        """Leave the deletion to Lambda, which does it for the batch; in a careful batch do it now."""
        if not batch.careful:
            return
        try:
            self.sqs.delete_message(QueueUrl=self.settings.queue_url, ReceiptHandle=message.receipt_handle)
        except (BotoCoreError, ClientError) as refused:
            self.observability.failed("not_deleted_early", message, refused)

    def _put_back(self, message: Message, seconds: int, batch: Batch) -> NoReturn:
        """Make the message come back after `seconds`; failing that, it does after the queue's visibility time-out.

        Raises:
            NotDoneError: Always.
        """
        if batch.seconds_left() >= sqs.CALL_SECONDS:
            try:
                redelivery.put_back(self.sqs, self.settings.queue_url, message, seconds)
            except (BotoCoreError, ClientError) as refused:
                self.observability.failed("visibility_unchanged", message, refused)
        raise NotDoneError
