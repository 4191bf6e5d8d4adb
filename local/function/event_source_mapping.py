"""The event source mapping between queue and function: receives messages, invokes, deletes those that succeeded."""

import queue
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from local.aws import LocalAws
from local.function.deployment_watch import DeploymentWatch
from local.function.runtime_api import Failed, Returned
from local.function.sqs_event import Record, batches, done, event_of, record_of
from local.processes import in_background
from local.waiting import until

UNLIMITED_CONCURRENCY = 10
"""Environments for a mapping without MaximumConcurrency, which Lambda would scale to 1,250."""
LONG_POLL = 1
"""Seconds that a receive waits for a message, and so the longest delay before ``pause`` or the end takes effect."""


@dataclass(frozen=True)
class EventSourceMapping:
    """The mapping as deployed. The visibility timeout is the queue's setting."""

    uuid: str
    queue_arn: str
    batch_size: int
    maximum_concurrency: int
    reports_item_failures: bool


def deployed_mapping(aws: LocalAws, function_name: str) -> EventSourceMapping:
    """Read the function's mapping.

    Raises:
        NotImplementedError: the mapping filters messages or has a batching window, which this poller does not support.
    """
    (mapping,) = aws.functions.list_event_source_mappings(FunctionName=function_name)["EventSourceMappings"]
    if mapping.get("FilterCriteria") or mapping.get("MaximumBatchingWindowInSeconds"):
        raise NotImplementedError("local AWS supports neither filters nor a batching window: add them to local/ first")
    return EventSourceMapping(
        uuid=mapping["UUID"],
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
    only when needed. It stops when the mapping is disabled and goes on when it is enabled; ``pause`` and ``resume``
    are for whoever runs it.
    """

    def __init__(
        self, mapping: EventSourceMapping, aws: LocalAws, watch: DeploymentWatch, environments: Sequence[Environment]
    ) -> None:
        self.mapping = mapping
        self._watch = watch
        self._sqs = aws.sqs
        self._queue_url = self._sqs.get_queue_url(QueueName=mapping.queue_arn.split(":")[-1])["QueueUrl"]
        self._environments = environments[: mapping.maximum_concurrency]
        self._idle: queue.LifoQueue[Environment] = queue.LifoQueue()
        for environment in reversed(self._environments):
            self._idle.put(environment)
        self._vacancies = threading.Semaphore(len(self._environments))
        self._received: deque[list[Record]] = deque()
        self._in_flight: set[Future[None]] = set()
        self._running = threading.Event()
        self._enabled = threading.Event()
        self._receiving = threading.Lock()
        self._stopping = False

    def __enter__(self) -> Self:
        self._invokers = ThreadPoolExecutor(max_workers=len(self._environments), thread_name_prefix="invoker")
        self._watch.start(self._enabled.set, self._stop_receiving)
        self._receiver = in_background(self._run, name="poller")
        self.resume()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and abandon messages in flight: they return after their visibility timeout."""
        self._stopping = True
        self._watch.end()
        self._running.set()
        self._enabled.set()
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
        self._running.set()

    def pause(self) -> None:
        """Stop receiving, and wait until no message is in flight."""
        self._running.clear()
        with self._receiving:
            in_flight = set(self._in_flight)
        wait(in_flight)

    def _stop_receiving(self) -> None:
        """Begin no further invocation; those in flight go on, as in Lambda."""
        self._enabled.clear()
        with self._receiving:
            self._received.clear()  # it comes back after its visibility timeout

    def _run(self) -> None:
        while not self._stopping:
            self._running.wait()
            self._enabled.wait()
            self._vacancies.acquire()
            with self._receiving:
                batch = self._next_batch() if self._running.is_set() and self._enabled.is_set() else []
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
                MaxNumberOfMessages=self.mapping.batch_size,
                WaitTimeSeconds=LONG_POLL,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            )
            records = [record_of(message, self.mapping.queue_arn) for message in answer.get("Messages", [])]
            self._received.extend(batches(records))
        return self._received.popleft() if self._received else []

    def _deliver(self, environment: Environment, batch: list[Record]) -> None:
        try:
            outcome = environment.invoke(event_of(batch))
        finally:
            self._idle.put(environment)
            self._vacancies.release()
        records = done(batch, outcome, reports_item_failures=self.mapping.reports_item_failures)
        if records:
            # A delete that SQS refuses is not repeated: the message comes back, as it would with Lambda.
            self._sqs.delete_message_batch(
                QueueUrl=self._queue_url,
                Entries=[{"Id": str(n), "ReceiptHandle": record["receiptHandle"]} for n, record in enumerate(records)],
            )

    def _landed(self, delivery: Future[None]) -> None:
        if delivery.exception() is None:
            self._in_flight.discard(delivery)
