"""Delivers the messages of one invocation: act on each verdict, and tell Lambda which messages are not done.

A message is done when Connect has accepted its reply or the dead-letter queue has the message. Lambda then deletes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, assert_never

from botocore.exceptions import BotoCoreError, ClientError

from contract.client_token import iso
from contract.dead_letter import DoesNotFitError
from handler.message import Message
from handler.pacer import Pacer
from handler.sender import Sender
from handler.services import sqs
from handler.services.outcomes import Outcomes
from handler.services.payload import Payloads
from handler.verdict import AlreadySent, Cause, DeadLetter, HandBack, Retry, Sent, Verdict, backoff

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from mypy_boto3_connect import ConnectClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from handler.drafts import Drafts
    from handler.observability import Observability
    from handler.settings import Settings

DOES_NOT_FIT_SECONDS = 60
"""Between two receives of a message that is too large for the dead-letter queue. SQS moves the message itself after
maxReceiveCount receives, which then takes most of a day."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Delivers messages; one for each execution environment.

    Attributes:
        settings: What the stack has set.
        sender: Decides what becomes of a message, by trying to send its reply.
        sqs: Makes the client for dead letters and visibility; most invocations need none.
        outcomes: Publishes what became of replies.
        observability: Logs, metrics, traces.
        now: Seconds since the epoch.
        rng: Jitter of the backoff.
    """

    settings: Settings
    sender: Sender
    sqs: Callable[[], SQSClient]
    outcomes: Outcomes
    observability: Observability
    now: Callable[[], float]
    rng: Random

    def deliver_all(self, records: list[Any], seconds_left: Callable[[], float]) -> PartialItemFailureResponse:
        """Deliver the records of one invocation, one after the other. Nothing is raised.

        Args:
            records: The event's SQS records.
            seconds_left: Seconds until Lambda ends the invocation.

        Returns:
            The ids of the messages that are not done, even if that is all of them.
        """
        messages = [Message.from_record(record) for record in records if has_id(record)]
        if len(messages) < len(records):
            self.observability.records_without_id(len(records) - len(messages))
        not_done = [message for message in messages if not self._deliver(message, seconds_left)]
        self.outcomes.publish(seconds_left)  # before the answer: Lambda then deletes what is done
        return {"batchItemFailures": [{"itemIdentifier": message.id} for message in not_done]}

    def _deliver(self, message: Message, seconds_left: Callable[[], float]) -> bool:
        """Deliver one message; return whether it is done."""
        try:
            return self._act(message, self.sender.send(message, seconds_left), seconds_left)
        except Exception as error:  # noqa: BLE001 - a bug must neither lose this message nor stop the next one
            self.observability.failed("unexpected_error", message, error)
            return False

    def _act(self, message: Message, verdict: Verdict, seconds_left: Callable[[], float]) -> bool:
        """Act on a verdict; return whether the message is done."""
        match verdict:
            case Sent():
                self.observability.sent(message, verdict, self.now())
            case AlreadySent():
                self.observability.already_sent(message, verdict)
            case DeadLetter():
                return self._dead_letter(message, verdict, seconds_left)
            case Retry():
                return self._retry(message, verdict, seconds_left)
            case HandBack():
                return self._hand_back(message, verdict, seconds_left)
            case unknown:  # returning True would make Lambda delete the message
                assert_never(unknown)
        self.outcomes.record(message, verdict)
        return True

    def _dead_letter(self, message: Message, verdict: DeadLetter, seconds_left: Callable[[], float]) -> bool:
        """Move the message to the dead-letter queue. If the queue doesn't take it, the message stays on its own."""
        was_tried = verdict.connect_called or message.receive_count > 1
        tried_at = iso(min(message.first_received_at, verdict.tried_since, self.now())) if was_tried else None
        try:
            sqs.send_dead_letter(self.sqs(), self.settings.dead_letter_queue_url, message, verdict, tried_at)
        except DoesNotFitError as error:
            self.observability.failed("dead_letter_failed", message, error)
            return self._hand_back(message, HandBack(DOES_NOT_FIT_SECONDS), seconds_left)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the message is not there: it must stay here
            self.observability.failed("dead_letter_failed", message, error)
            unavailable = Retry(Cause.DEAD_LETTER_QUEUE_UNAVAILABLE, verdict.detail, verdict.request_id)
            return self._retry(message, unavailable, seconds_left)
        self.observability.dead_lettered(message, verdict)
        self.outcomes.record(message, verdict)
        return True

    def _retry(self, message: Message, verdict: Retry, seconds_left: Callable[[], float]) -> bool:
        """Leave the message on its queue for a backoff."""
        seconds = backoff(message.receive_count, self.rng, verdict.cause)
        self.observability.retried(message, verdict, seconds)
        return self._hide(message, seconds, seconds_left)

    def _hand_back(self, message: Message, verdict: HandBack, seconds_left: Callable[[], float]) -> bool:
        self.observability.handed_back(message, verdict)
        return self._hide(message, verdict.seconds, seconds_left)

    def _hide(self, message: Message, seconds: int, seconds_left: Callable[[], float]) -> bool:
        """Make SQS deliver the message again after `seconds`. If that fails, the queue's visibility timeout decides.

        Returns:
            False: the message is not done.
        """
        if seconds_left() >= sqs.CALL_SECONDS:
            try:
                sqs.hide(self.sqs(), self.settings.queue_url, message, seconds)
            except (BotoCoreError, ClientError) as error:
                self.observability.failed("visibility_change_failed", message, error)
        return False


def has_id(record: object) -> bool:
    """Return whether a record has a message id, as all of SQS's have. Lambda fails a batch for an empty id."""
    return isinstance(record, dict) and isinstance(record.get("messageId"), str) and record["messageId"] != ""


def create_delivery(  # noqa: PLR0913 - every client, the clocks and chance are passed in, so that no test patches them
    settings: Settings,
    observability: Observability,
    *,
    connect: ConnectClient,
    sqs: Callable[[], SQSClient],
    s3: Callable[[], S3Client],
    events: Callable[[], EventBridgeClient],
    draft_clients: Callable[[], tuple[ConnectClient, ConnectClient, DynamoDBClient]],
    now: Callable[[], float],
    monotonic: Callable[[], float],
    sleep: Callable[[float], None],
    rng: Random,
) -> Delivery:
    """Assemble the delivery of one execution environment.

    Args:
        settings: What the stack has set.
        observability: Logs, metrics, traces.
        connect: Connect's client.
        sqs: Makes SQS's client when it is first needed.
        s3: Makes S3's.
        events: Makes EventBridge's.
        draft_clients: Makes Connect's clients for CreateContact and for the other calls about drafts, and DynamoDB's.
        now: Seconds since the epoch.
        monotonic: Seconds that never go back, for the pace.
        sleep: Waits a number of seconds.
        rng: Jitter of the backoff, marks of drafts and tokens of CreateContact: it never repeats itself.
    """
    pacer = Pacer(settings.send_rate_share, settings.burst_share, monotonic, sleep)

    @cache
    def drafts() -> Drafts:
        from handler.drafts import Drafts  # noqa: PLC0415 - replies with ContactId don't wait for it
        from handler.services.contacts import Contacts  # noqa: PLC0415
        from handler.services.table import DraftTable  # noqa: PLC0415

        creating, asking, dynamodb = draft_clients()
        return Drafts(
            table=DraftTable(settings.draft_table, dynamodb, now),
            contacts=Contacts(settings.instance_arn, creating, asking),
            pacer=pacer,
            observability=observability,
            retry_seconds=settings.retry_seconds,
            now=now,
            rng=rng,
        )

    sender = Sender(
        settings=settings,
        connect=connect,
        pacer=pacer,
        payloads=Payloads(settings.payload_bucket, s3),
        drafts=drafts,
        observability=observability,
        now=now,
    )
    outcomes = Outcomes(settings.event_bus_name, events, observability, now, sleep)
    return Delivery(settings, sender, sqs, outcomes, observability, now, rng)
