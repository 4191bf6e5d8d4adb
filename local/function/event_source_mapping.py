"""The event source mapping between queue and function: receives messages, invokes, deletes those that succeeded."""

import queue
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from botocore.exceptions import BotoCoreError, ClientError

from local.aws import LocalAws
from local.function.runtime_api import Failed, Returned
from local.function.sqs_event import Record, batches, done, event_of, record_of
from local.processes import in_background
from local.waiting import until

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

UNLIMITED_CONCURRENCY = 10
"""Environments for a mapping without MaximumConcurrency, which Lambda would scale to 1,250."""
LONG_POLL = 1
"""Seconds that a receive waits for a message, and so the longest delay before ``pause`` or the end takes effect."""


LOOK_EVERY = 0.5
"""Seconds between two looks at whether the mapping is enabled."""


@dataclass(frozen=True)
class EventSourceMapping:
    """The mapping as it is now. The visibility timeout is the queue's setting."""

    uuid: str
    is_enabled: bool
    queue_arn: str
    batch_size: int
    maximum_concurrency: int
    reports_item_failures: bool


def take_over_mapping(aws: LocalAws, function_name: str) -> EventSourceMapping:
    """Read the function's mapping.

    Raises:
        NotImplementedError: the mapping filters messages or has a batching window, which this poller does not support.
    """
    (mapping,) = aws.functions.list_event_source_mappings(FunctionName=function_name)["EventSourceMappings"]
    if mapping.get("FilterCriteria") or mapping.get("MaximumBatchingWindowInSeconds"):
        raise NotImplementedError("local AWS supports neither filters nor a batching window: add them to local/ first")
    return EventSourceMapping(
        uuid=mapping["UUID"],
        is_enabled=mapping["State"] == "Enabled",
        queue_arn=mapping["EventSourceArn"],
        batch_size=mapping["BatchSize"],
        maximum_concurrency=mapping.get("ScalingConfig", {}).get("MaximumConcurrency", UNLIMITED_CONCURRENCY),
        reports_item_failures="ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
    )


class Environment(Protocol):
    """What the poller needs from an execution environment; a test may wrap one."""

    def invoke(self, event: Mapping[str, object], /) -> Returned | Failed:
        """Run the function on one event."""

    def kill(self) -> None:
        """Kill the function's process, even during an invocation."""


class Poller:
    """Does what Lambda's poller does for a mapping; it never changes a message's visibility.

    It receives only while an environment is free, and prefers the one used last, as Lambda does: the others start
    only when needed.
    """

    def __init__(self, mapping: EventSourceMapping, sqs: "SQSClient", environments: Sequence[Environment]) -> None:
        self._mapping = mapping
        self._sqs = sqs
        self._queue_url = sqs.get_queue_url(QueueName=mapping.queue_arn.split(":")[-1])["QueueUrl"]
        self._environments = environments[: mapping.maximum_concurrency]
        self._idle: queue.LifoQueue[Environment] = queue.LifoQueue()
        for environment in reversed(self._environments):
            self._idle.put(environment)
        self._vacancies = threading.Semaphore(len(self._environments))
        self._received: deque[list[Record]] = deque()
        self._in_flight: set[Future[None]] = set()
        self._enabled = threading.Event()
        self._switched_on = threading.Event()
        self.switch(on=mapping.is_enabled)
        self._receiving = threading.Lock()
        self._stopping = False

    def __enter__(self) -> Self:
        self._invokers = ThreadPoolExecutor(max_workers=len(self._environments), thread_name_prefix="invoker")
        self._receiver = in_background(self._run, name="poller")
        self.resume()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and abandon messages in flight: they return after their visibility timeout."""
        self._stopping = True
        self._enabled.set()
        self._switched_on.set()
        until(self._has_stopped, "the poller stopped", every=0.05)
        self._invokers.shutdown()
        for delivery in self._in_flight:
            delivery.result()

    def _has_stopped(self) -> bool:
        for environment in self._environments:
            environment.kill()  # again each time: the receiver may just have handed out another batch
        return not self._receiver.is_alive() and all(delivery.done() for delivery in set(self._in_flight))

    @property
    def is_idle(self) -> bool:
        """Whether no batch is being delivered or waiting for an environment."""
        return not self._received and not self._in_flight

    def resume(self) -> None:
        """Start to receive again."""
        self._enabled.set()

    def pause(self) -> None:
        """Stop receiving, and wait until no message is in flight."""
        self._enabled.clear()
        with self._receiving:
            in_flight = set(self._in_flight)
        wait(in_flight)

    def switch(self, *, on: bool) -> None:
        """Receive or do not, as the mapping is enabled or disabled; what is in flight ends."""
        (self._switched_on.set if on else self._switched_on.clear)()

    def _run(self) -> None:
        while not self._stopping:
            self._enabled.wait()
            self._switched_on.wait()
            self._vacancies.acquire()
            with self._receiving:
                batch = self._next_batch() if self._enabled.is_set() and self._switched_on.is_set() else []
                if batch:
                    delivery = self._invokers.submit(self._deliver, self._idle.get(), batch)
                    self._in_flight.add(delivery)
                    delivery.add_done_callback(self._landed)
                else:
                    self._vacancies.release()

    def _next_batch(self) -> list[Record]:
        if not self._received:
            answer = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=self._mapping.batch_size,
                WaitTimeSeconds=LONG_POLL,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            )
            records = [record_of(message, self._mapping.queue_arn) for message in answer.get("Messages", [])]
            self._received.extend(batches(records))
        return self._received.popleft() if self._received else []

    def _deliver(self, environment: Environment, batch: list[Record]) -> None:
        try:
            outcome = environment.invoke(event_of(batch))
        finally:
            self._idle.put(environment)
            self._vacancies.release()
        records = done(batch, outcome, reports_item_failures=self._mapping.reports_item_failures)
        if records:
            # A delete that SQS refuses is not repeated: the message comes back, as it would with Lambda.
            self._sqs.delete_message_batch(
                QueueUrl=self._queue_url,
                Entries=[{"Id": str(n), "ReceiptHandle": record["receiptHandle"]} for n, record in enumerate(records)],
            )

    def _landed(self, delivery: Future[None]) -> None:
        if delivery.exception() is None:
            self._in_flight.discard(delivery)


@contextmanager
def following(aws: LocalAws, mapping: EventSourceMapping, poller: Poller) -> Iterator[None]:
    """Let the poller do what the mapping's state says, which others may change meanwhile."""
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_EVERY):
            with suppress(BotoCoreError, ClientError):  # a test has deleted the mapping, or moto is gone
                poller.switch(on=aws.functions.get_event_source_mapping(UUID=mapping.uuid)["State"] == "Enabled")

    looking = in_background(look, name="mapping's state")
    try:
        yield
    finally:
        ended.set()
        looking.join()
