"""One message's way, top to bottom: token, contract, pace, send, verdict, and what the verdict asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.exceptions import BotoCoreError, ClientError

from handler import connect, dead_letter, redelivery
from handler.client_token import ClientTokenError, client_token, may_have_been_sent
from handler.message import Message
from handler.reply import InvalidReplyError, parse
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

SQS_SECONDS = 25
"""The longest that one call to SQS can take after the send (its time-outs stand in app.py)."""
DENIED_SECONDS = 1800
"""How long a refused permission is retried: IAM changes take minutes to spread, not hours."""


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
        try:
            verdict = self._decide(message, batch)
        except Exception as bug:  # noqa: BLE001 - a fault of ours must neither lose the message nor stop its neighbours
            self.observability.failed("reply_failed", message, bug)
            verdict = Retry(Cause.UNEXPECTED, type(bug).__name__)
        verdict = self._in_time(message, verdict)
        if isinstance(verdict, DeadLetter):
            verdict = self._dead_letter(message, verdict)
        match verdict:
            case Sent():
                self.observability.sent(message, verdict, self.now())
                self._done(message, batch)
            case AlreadySent():
                self.observability.already_sent(message, verdict)
                self._done(message, batch)
            case DeadLetter():
                self.observability.dead_lettered(message, verdict)
                self._done(message, batch)
            case HandBack(seconds):
                self.observability.handed_back(message, verdict)
                self._put_back(message, seconds, batch)
            case Retry():
                seconds = redelivery.delay(message.receive_count, self.rng, verdict.cause)
                self.observability.retried(message, verdict, seconds)
                if verdict.stops_batch and not batch.stopped:
                    batch.stopped = True
                    self.observability.batch_stopped(verdict.cause)
                self._put_back(message, seconds, batch)

    def _decide(self, message: Message, batch: Batch) -> Verdict:
        if batch.seconds_left() < SQS_SECONDS:
            return HandBack(0)
        if message.receive_count > self.settings.max_receives:
            detail = f"Received {message.receive_count} times, more often than the retry window allows."
            return DeadLetter(Reason.RETRIES_EXHAUSTED, detail)
        try:
            token = client_token(message)
            reply = parse(message.body, self.settings.instance_arn)
        except ClientTokenError as no_token:
            return DeadLetter(Reason.INVALID_CLIENT_TOKEN, str(no_token))
        except InvalidReplyError as invalid:
            return DeadLetter(Reason.INVALID_REPLY, str(invalid))
        return self._send(message, reply, token, batch)

    def _send(self, message: Message, reply: dict[str, Any], token: str, batch: Batch) -> Verdict:
        if batch.stopped:
            return HandBack(redelivery.delay(message.receive_count, self.rng))
        if batch.seconds_left() < self.pacer.wait_time() + connect.CALL_SECONDS + SQS_SECONDS:
            return HandBack(0)
        self.pacer.take()
        with self.observability.call_traced() as subsegment:
            verdict = connect.send(
                self.connect,
                self.settings.instance_arn,
                reply,
                token,
                may_have_been_sent=may_have_been_sent(message),
            )
            subsegment.put_annotation("verdict", type(verdict).__name__)
        return verdict

    def _in_time(self, message: Message, verdict: Verdict) -> Verdict:
        """The verdict, or a dead letter where the retry window is over."""
        if not isinstance(verdict, Retry):
            return verdict
        window = self.settings.retry_seconds
        if verdict.cause is Cause.ACCESS_DENIED:
            window = min(window, DENIED_SECONDS)
        if self.now() - message.first_received_at <= window:
            return verdict
        return DeadLetter(Reason.RETRIES_EXHAUSTED, f"Last: {verdict.detail}", verdict.request_id)

    def _dead_letter(self, message: Message, verdict: DeadLetter) -> DeadLetter | Retry:
        """The verdict, once the dead-letter queue has the message; else a retry, for it must not be lost."""
        try:
            dead_letter.send(self.sqs, self.settings.dead_letter_queue_url, message, verdict, self.now())
        except (BotoCoreError, ClientError, ValueError) as refused:  # ValueError: SQS could not even be asked
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
        if batch.seconds_left() >= SQS_SECONDS:
            try:
                redelivery.put_back(self.sqs, self.settings.queue_url, message, seconds)
            except (BotoCoreError, ClientError) as refused:
                self.observability.failed("visibility_unchanged", message, refused)
        raise NotDoneError
