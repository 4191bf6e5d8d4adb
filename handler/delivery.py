"""What becomes of one message: its verdict, and what is done about it. A verdict is final once it is acted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, assert_never

from botocore.exceptions import BotoCoreError, ClientError

from contract.client_token import iso
from contract.dead_letter import DoesNotFitError, Reason
from handler.backoff import backoff
from handler.sender import ACT_SECONDS
from handler.services import sqs
from handler.verdict import AlreadySent, Cause, DeadLetter, HandBack, Retry, Sent, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from mypy_boto3_sqs import SQSClient

    from handler.message import Message
    from handler.observability import Observability
    from handler.sender import Sender
    from handler.services.outcomes import Outcomes
    from handler.settings import Settings

LAST_CHANCE_SECONDS = 3600
"""More than any backoff and any visibility time-out: a message that is to live no longer has no other try."""
DENIED_SECONDS = 1800
"""How long a refused permission is retried: IAM changes take minutes to spread, not hours."""
DOES_NOT_FIT_SECONDS = 60
"""Between two receives of a message that SQS itself has to move, after maxReceiveCount of them: most of a day, and the
others are not held up."""
LAST_CHANCE = "The queue would have deleted it before another try."


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
        sender: Sends what a message asks for.
        sqs: The client that takes dead letters, hides messages and deletes them; most invocations need none.
        outcomes: Tells an event bus what became of replies.
        observability: Logs, metrics, traces.
        now: Seconds since the epoch.
        rng: Jitter of the backoff, and the order of a batch.
    """

    settings: Settings
    sender: Sender
    sqs: Callable[[], SQSClient]
    outcomes: Outcomes
    observability: Observability
    now: Callable[[], float]
    rng: Random

    def deliver(self, message: Message, invocation: Invocation) -> None:
        """Deliver one message. Return when it is done: sent, or taken by the dead-letter queue.

        Raises:
            NotDoneError: It is not done, and stays on its queue. So it does after any other exception.
        """
        match self._final_verdict(message, invocation):
            case Sent() as sent:
                self.observability.sent(message, sent, self.now())
                self._done(message, sent, invocation)
            case AlreadySent() as sent:
                self.observability.already_sent(message, sent)
                self._done(message, sent, invocation)
            case DeadLetter() as dead:
                self.observability.dead_lettered(message, dead)
                self._done(message, dead, invocation)
            case HandBack() as untouched:
                self.observability.handed_back(message, untouched)
                self._hand_back(message, untouched.seconds, invocation)
            case Retry() as retry:
                seconds = backoff(message.receive_count, self.rng, retry.cause)
                self.observability.retried(message, retry, seconds)
                self._hand_back(message, seconds, invocation)
            case unknown:  # to return would mean that Lambda deletes the message
                assert_never(unknown)

    def _final_verdict(self, message: Message, invocation: Invocation) -> Verdict:
        """What becomes of the message now; a dead letter is on the dead-letter queue already."""
        try:
            verdict = self.sender.send(message, invocation.seconds_left)
        except Exception as bug:  # noqa: BLE001 - a fault of ours must neither lose the message nor stop its neighbours
            self.observability.failed("reply_failed", message, bug)
            verdict = Retry(Cause.UNEXPECTED, type(bug).__name__)
        match verdict:
            case Retry():
                verdict = self._retry_or_give_up(message, verdict)
            case HandBack() if self._is_last_chance(message) and invocation.seconds_left() >= ACT_SECONDS:
                verdict = DeadLetter(Reason.RETRIES_EXHAUSTED, f"Not tried now. {LAST_CHANCE}", asked=False)
        return self._dead_letter(message, verdict) if isinstance(verdict, DeadLetter) else verdict

    def _is_last_chance(self, message: Message) -> bool:
        """Whether the queue may delete the message before it could be tried again."""
        return message.sent_at + self.settings.retention_seconds - self.now() < LAST_CHANCE_SECONDS

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
            return HandBack(DOES_NOT_FIT_SECONDS)  # until SQS itself moves it, as it is
        except Exception as refused:  # noqa: BLE001 - whatever the reason, the message is not there: it must stay
            self.observability.failed("dead_letter_failed", message, refused)
            return Retry(Cause.DEAD_LETTER_QUEUE_UNAVAILABLE, verdict.detail, verdict.request_id)
        return verdict

    def _done(self, message: Message, verdict: Sent | AlreadySent | DeadLetter, invocation: Invocation) -> None:
        """Note the outcome. Tell it and delete the message now if the invocation says so, or else after the batch."""
        self.outcomes.note(message, verdict)
        if not invocation.delete_at_once:
            return
        self.outcomes.tell(invocation.seconds_left)
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
