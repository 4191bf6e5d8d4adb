"""The event source mapping: receives messages, invokes the function and deletes the messages that succeeded."""

import queue
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from local.aws import LocalAws
from local.function.deployed_function import DeploymentWatch
from local.function.runtime_api import Failed, Returned
from local.function.sqs_event import Record, batches, deletable, event_of, record_of
from local.processes import in_background
from local.waiting import until

UNLIMITED_CONCURRENCY = 10
"""Environments for a mapping without MaximumConcurrency. Lambda would scale to 1,250."""
LONG_POLL_SECONDS = 1
"""How long a receive waits for a message. ``pause`` and the end of the poller take up to this long."""


@dataclass(frozen=True)
class EventSourceMapping:
    """The deployed mapping."""

    uuid: str
    queue_arn: str
    batch_size: int
    maximum_concurrency: int
    reports_item_failures: bool


def deployed_mapping(aws: LocalAws, function_name: str) -> EventSourceMapping:
    """Return the function's mapping.

    Raises:
        NotImplementedError: The mapping filters messages or has a batching window. This poller does neither.
    """
    (mapping,) = aws.functions.list_event_source_mappings(FunctionName=function_name)["EventSourceMappings"]
    if mapping.get("FilterCriteria") or mapping.get("MaximumBatchingWindowInSeconds"):
        raise NotImplementedError(f"{__name__} supports neither filters nor a batching window. Add them there first.")
    return EventSourceMapping(
        uuid=mapping["UUID"],
        queue_arn=mapping["EventSourceArn"],
        batch_size=mapping["BatchSize"],
        maximum_concurrency=mapping.get("ScalingConfig", {}).get("MaximumConcurrency", UNLIMITED_CONCURRENCY),
        reports_item_failures="ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
    )


class Environment(Protocol):
    """What the poller needs from an execution environment. Tests can wrap an environment."""

    def invoke(self, event: Mapping[str, object], /) -> Returned | Failed:
        """Invoke the function with an event."""

    def kill(self) -> None:
        """Kill the function's process, also during an invocation."""


class Poller:
    """Does what Lambda's poller does. It never changes a message's visibility timeout.

    It receives only while an environment is free. Like Lambda, it prefers the environment that it used last, so the
    others start only when they are needed. It stops while the mapping is disabled. ``pause`` and ``resume`` stop it
    independently of the mapping.

    Args:
        mapping: The mapping.
        aws: Where its queue is.
        watch: Starts and stops the poller as the mapping's state demands.
        environments: The environments to invoke, up to the mapping's maximum concurrency.
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
        self._free = threading.Semaphore(len(self._environments))
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
        """Stop, and abandon the messages in flight. They return after their visibility timeout."""
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
            environment.kill()  # each time, because the receiver may just have passed on another batch
        return not self._receiver.is_alive() and all(delivery.done() for delivery in set(self._in_flight))

    @property
    def is_idle(self) -> bool:
        """Whether no batch is in flight or waiting for an environment."""
        return not self._received and not self._in_flight

    def resume(self) -> None:
        """Receive again."""
        self._running.set()

    def pause(self) -> None:
        """Stop receiving, and wait until no message is in flight."""
        self._running.clear()
        with self._receiving:
            in_flight = set(self._in_flight)
        wait(in_flight)

    def _stop_receiving(self) -> None:
        """Start no further invocation. As in Lambda, those in flight continue."""
        self._enabled.clear()
        with self._receiving:
            self._received.clear()  # the messages return after their visibility timeout

    def _run(self) -> None:
        while not self._stopping:
            self._running.wait()
            self._enabled.wait()
            self._free.acquire()
            with self._receiving:
                batch = self._next_batch() if self._running.is_set() and self._enabled.is_set() else []
                if batch:
                    delivery = self._invokers.submit(self._deliver, self._idle.get(), batch)
                    self._in_flight.add(delivery)
                    delivery.add_done_callback(self._remove)
                else:
                    self._free.release()

    def _next_batch(self) -> list[Record]:
        if not self._received:
            answer = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=self.mapping.batch_size,
                WaitTimeSeconds=LONG_POLL_SECONDS,
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
            self._free.release()
        records = deletable(batch, outcome, reports_item_failures=self.mapping.reports_item_failures)
        if records:
            # Like Lambda, do not repeat a delete that SQS refuses: SQS delivers the message again.
            self._sqs.delete_message_batch(
                QueueUrl=self._queue_url,
                Entries=[{"Id": str(n), "ReceiptHandle": record["receiptHandle"]} for n, record in enumerate(records)],
            )

    def _remove(self, delivery: Future[None]) -> None:
        if delivery.exception() is None:
            self._in_flight.discard(delivery)
