"""Queue, event source mapping, function and Connect on a simulated clock. The function's code is the real one."""

import heapq
import io
import itertools
import json
import os
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from botocore.exceptions import ClientError

from bench.scenario import Result, Scenario, Span
from bench.virtual_time import VirtualTime
from handler.delivery import Delivery, create_delivery
from handler.observability import Observability
from handler.settings import Settings
from infra.capacity import Capacity, capacity
from infra.settings import Settings as StackSettings
from local.cdk import INSTANCE_ARN
from local.connect.quotas import TokenBucket
from local.replies import reply

POLL_SECONDS = 0.05
"""From the end of an invocation to the start of the next one, while messages wait."""
LONG_POLL_SECONDS = 1.0
"""The longest time between two polls of an empty queue. A poller sees an arrival at once."""
MOMENT = 0.001
POLLERS = 5
"""Lambda "starts by processing five batches concurrently, with five concurrent invocations of your function":
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""
ENVIRONMENTS_PER_POLLER = 10
"""With more pollers. The simulation doesn't play how Lambda adds 300 environments a minute."""
COLD_START_SECONDS = 0.6
MINUTE = 60
BODY = json.dumps(reply("c"))
AGE_RECEIVES = 3
"""After so many receives, SQS leaves a message out of the age of the oldest (SQS developer guide, metrics)."""


def derived(rate: float) -> Capacity:
    """Return the capacity that the stack derives from a quota."""
    return capacity(StackSettings(instance_arn=INSTANCE_ARN, send_rate=rate))


def simulate(
    scenario: Scenario, numbers: Capacity, arrivals: Sequence[float], seed: int = 1, *, with_metrics: bool = False
) -> Result:
    """Deliver replies until none is left.

    Args:
        scenario: What Connect does.
        numbers: What the stack derives from the settings.
        arrivals: When each reply is put on the queue, in seconds, ascending.
        seed: For the jitter and the other caller.
        with_metrics: Whether the result has the metrics of each minute. This is slow if many replies wait.
    """
    simulation = Simulation(scenario, numbers, arrivals, seed, with_metrics=with_metrics)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):  # Powertools prints metrics
        simulation.run()
    return simulation.result


@dataclass(slots=True)
class Message:
    """A message on the simulated queue."""

    id: str
    sent_at: float
    receives: int = 0
    first_received_at: float = 0.0


class Queue:
    """The part of SQS that the mapping and the function use."""

    def __init__(self, time: VirtualTime, result: Result, visibility: float, body: str) -> None:
        self._time, self._result, self._visibility, self._body = time, result, visibility, body
        self._visible: deque[Message] = deque()
        self._hidden: list[tuple[float, int, Message]] = []
        self._until: dict[str, float] = {}
        self._messages: dict[str, Message] = {}
        self._order = itertools.count()
        self.deleted = 0

    def put(self, message: Message) -> None:
        self._messages[message.id] = message
        self._visible.append(message)

    def counts(self) -> tuple[int, int]:
        """Return how many messages are visible, and how many are in flight or wait for their backoff."""
        self._update_visible()
        return len(self._visible), len(self._messages) - len(self._visible)

    def age_of_oldest(self) -> float | None:
        """Return the age in seconds as SQS counts it: of messages with at most two receives. None if there are none."""
        sent = [message.sent_at for message in self._messages.values() if message.receives < AGE_RECEIVES]
        return self._time.now() - min(sent) if sent else None

    @property
    def empty(self) -> bool:
        return not self._messages

    def next_visible_at(self) -> float:
        return self._hidden[0][0] if self._hidden else float("inf")

    def receive(self, count: int) -> list[dict[str, Any]]:
        now = self._time.now()
        self._update_visible()
        records: list[dict[str, Any]] = []
        while self._visible and len(records) < count:
            message = self._visible.popleft()
            message.receives += 1
            message.first_received_at = message.first_received_at or now
            self._hide(message, self._visibility)
            records.append(self._record(message))
        self._result.receives += len(records)
        return records

    def _update_visible(self) -> None:
        """Make the messages visible whose visibility time-out is over."""
        now = self._time.now()
        while self._hidden and self._hidden[0][0] <= now:
            at, _, message = heapq.heappop(self._hidden)
            if self._until.get(message.id) == at and message.id in self._messages:
                del self._until[message.id]
                self._visible.append(message)

    def delete(self, message_id: str) -> None:
        if self._messages.pop(message_id, None):
            self.deleted += 1
        self._until.pop(message_id, None)

    def _hide(self, message: Message, seconds: float) -> None:
        at = self._time.now() + seconds
        self._until[message.id] = at
        heapq.heappush(self._hidden, (at, next(self._order), message))

    def _record(self, message: Message) -> dict[str, Any]:
        return {
            "messageId": message.id,
            "receiptHandle": message.id,
            "body": self._body,
            "attributes": {
                "ApproximateReceiveCount": str(message.receives),
                "SentTimestamp": str(round(message.sent_at * 1000)),
                "ApproximateFirstReceiveTimestamp": str(round(message.first_received_at * 1000)),
            },
            "messageAttributes": {},
        }

    # The two operations that the function calls:

    def change_message_visibility(self, *, ReceiptHandle: str, VisibilityTimeout: int, **_: Any) -> None:  # noqa: N803
        self._hide(self._messages[ReceiptHandle], VisibilityTimeout)

    def send_message(self, **_: Any) -> None:
        self._result.dead += 1


class Connect:
    """StartOutboundEmailContact in a scenario."""

    def __init__(
        self, scenario: Scenario, time: VirtualTime, quota: TokenBucket, result: Result, sent_at: dict[str, float]
    ) -> None:
        self._scenario, self._time, self._quota, self._result = scenario, time, quota, result
        self._sent_at = sent_at
        self._accepted: set[str] = set()

    def start_outbound_email_contact(self, *, ClientToken: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - the API's name
        now, scenario, result = self._time.now(), self._scenario, self._result
        result.calls += 1
        error = self._error(now)
        self._time.sleep(scenario.latency)
        if error:
            raise error
        if ClientToken not in self._accepted:
            self._accepted.add(ClientToken)
            result.accepted.append(now)
            result.waited[ClientToken] = now - self._sent_at[ClientToken]
        return {"ContactId": "c", "ResponseMetadata": {"RequestId": "r"}}

    def _error(self, now: float) -> ClientError | None:
        scenario = self._scenario
        if within(now, scenario.outage):
            return client_error(503, "503")
        if not self._quota.take(now):
            self._result.throttled += 1
            self._result.throttled_alone += scenario.other_from is None or now < scenario.other_from
            return client_error(429, "ThrottlingException")
        if within(now, scenario.full):
            return client_error(402, "ServiceQuotaExceededException")
        return None


def within(now: float, span: Span | None) -> bool:
    return span is not None and span[0] <= now < span[1]


def client_error(status: int, code: str) -> ClientError:
    metadata = {"HTTPStatusCode": status, "RequestId": "r"}
    response: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": metadata}
    return ClientError(response, "StartOutboundEmailContact")


class MinuteMetrics:
    """The metrics that CloudWatch would have of a queue and of the function.

    Attributes:
        minutes: The values of each metric, one for each minute; None where there was no data. The name is the one that
            AWS or the function uses; names of the queue's metrics begin with `replies.`.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._deleted = 0
        self._of_function: dict[str, float] = defaultdict(float)
        self._passed = 0
        self.minutes: dict[str, list[float | None]] = {}

    def add(self, metrics: Mapping[str, Iterable[float]]) -> None:
        """Add the metrics of an invocation."""
        for name, values in metrics.items():
            if name == "TimeToAccept":
                self._of_function[name] = max(self._of_function[name], *values)
            else:
                self._of_function[name] += sum(values)

    def end_minute(self) -> None:
        """Record the values of the minute that ends now."""
        visible, hidden = self._queue.counts()
        deleted, self._deleted = self._queue.deleted - self._deleted, self._queue.deleted
        of_queue: dict[str, float | None] = {
            "replies.ApproximateNumberOfMessagesVisible": visible,
            "replies.ApproximateNumberOfMessagesNotVisible": hidden,
            "replies.NumberOfMessagesDeleted": deleted,
            "replies.ApproximateAgeOfOldestMessage": self._queue.age_of_oldest(),
        }
        for name, value in (of_queue | self._of_function).items():
            self.minutes.setdefault(name, [None] * self._passed).append(value)
        self._passed += 1
        for values in self.minutes.values():
            values.extend([None] * (self._passed - len(values)))
        self._of_function.clear()


def no_client() -> Any:
    raise AssertionError("this simulation has no S3, no event bus and no drafts")


class Simulation:
    """Producers, event source mapping, function and another caller, all on one clock."""

    body = BODY
    draft_clients: Callable[[], Any] = staticmethod(no_client)

    def __init__(  # noqa: PLR0913 - what a run needs
        self,
        scenario: Scenario,
        numbers: Capacity,
        arrivals: Sequence[float],
        seed: int,
        *,
        with_metrics: bool,
        result: Result | None = None,
    ) -> None:
        self.result = result or Result()
        self._scenario, self._numbers, self._seed = scenario, numbers, seed
        self._with_metrics = with_metrics
        self._pollers = max(POLLERS, numbers.concurrency // ENVIRONMENTS_PER_POLLER)
        self._time = VirtualTime()
        self._quota = TokenBucket(scenario.rate, scenario.burst)
        self._queue = Queue(self._time, self.result, numbers.visibility_timeout, self.body)
        self._minutes = MinuteMetrics(self._queue)
        self.result.minutes = self._minutes.minutes
        sent_at = {f"m{n}": at for n, at in enumerate(arrivals)}
        self._to_come = deque(sent_at.items())
        self._connect = self.make_connect(sent_at)
        self._idle = list(range(numbers.concurrency))  # environments; the last one was used last
        self._metrics = Metrics(namespace="Simulation", service="simulation")
        self._metrics.clear_metrics()  # Powertools keeps the metrics of earlier simulations in this process
        logger = Logger(service="simulation", level="CRITICAL", stream=io.StringIO())
        self._observability = Observability(logger, self._metrics, Tracer(disabled=True))

    def make_connect(self, sent_at: dict[str, float]) -> Connect:
        """Make the simulation's Connect."""
        return Connect(self._scenario, self._time, self._quota, self.result, sent_at)

    def run(self) -> None:
        self._time.start(self._produce)
        for number in range(self._numbers.concurrency):
            self._time.start(partial(self._environment, number))
        if self._with_metrics:
            self._time.start(self._end_minutes)
        if self._scenario.other_from is not None:
            self._time.start(partial(self._call_from_elsewhere, self._scenario.other_from))
        self._time.run()

    @property
    def _is_unfinished(self) -> bool:
        return bool(self._to_come) or not self._queue.empty

    def _end_minutes(self) -> None:
        while self._is_unfinished:
            self._time.sleep(MINUTE)
            self._minutes.end_minute()

    def _produce(self) -> None:
        while self._to_come:
            message_id, at = self._to_come[0]
            if at > self._time.now():
                self._time.sleep(at - self._time.now())
            self._to_come.popleft()
            self._queue.put(Message(message_id, at))

    def _environment(self, number: int) -> None:
        """Receive and invoke, as the mapping does. The environments that were used last come first."""
        rng = Random(self._seed * 1000 + number)
        delivery: Delivery | None = None
        self._time.sleep(rng.random() * 0.01)
        while self._is_unfinished:
            records = self._queue.receive(self._numbers.batch_size) if number in self._idle[-self._pollers :] else []
            if records:
                self._idle.remove(number)
                started = self._time.now()
                delivery = delivery or self._cold_start(rng)
                self._invoke(delivery, records, started + self._numbers.function_timeout)
                self.result.billed_seconds += self._time.now() - started
                self._idle.append(number)
            self._time.sleep(POLL_SECONDS if records else self._pause(number))

    def _pause(self, number: int) -> float:
        """Return how many seconds a poller waits that received nothing: until the next message, or less."""
        visible, _hidden = self._queue.counts()
        if visible:  # another environment comes first
            return POLL_SECONDS
        arrives_at = self._to_come[0][1] if self._to_come else float("inf")
        later = MOMENT * (len(self._idle) - self._idle.index(number))  # the one that was used last comes first
        next_at = min(arrives_at, self._queue.next_visible_at()) + later
        return min(LONG_POLL_SECONDS, max(MOMENT, next_at - self._time.now()))

    def _cold_start(self, rng: Random) -> Delivery:
        self._time.sleep(COLD_START_SECONDS)
        numbers, time = self._numbers, self._time
        settings = Settings(
            instance_arn=INSTANCE_ARN,
            queue_url="q",
            dead_letter_queue_url="dlq",
            payload_bucket="",
            draft_table="drafts",
            event_bus_name="",
            send_rate_share=numbers.share,
            burst_share=numbers.burst,
            retry_seconds=numbers.retry_seconds,
            max_receives=numbers.max_receives,
            crash_loop_seconds=numbers.crash_loop_seconds,
            retention_seconds=numbers.retention_seconds,
            allowed_recipients=(),
        )
        return create_delivery(
            settings,
            self._observability,
            connect=self._connect,  # type: ignore[arg-type] # it has the one operation that the function calls
            sqs=lambda: self._queue,  # type: ignore[arg-type, return-value] # it has both operations that the function calls
            s3=no_client,
            events=no_client,
            draft_clients=self.draft_clients,
            now=time.now,
            monotonic=time.now,
            sleep=time.sleep,
            rng=rng,
        )

    def _invoke(self, delivery: Delivery, records: list[dict[str, Any]], ends: float) -> None:
        answer = delivery.deliver_all(records, lambda: ends - self._time.now())
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for record in records:
            if record["messageId"] not in failed:
                self._queue.delete(record["messageId"])
        self._minutes.add({name: metric["Value"] for name, metric in self._metrics.metric_set.items()})
        self._metrics.clear_metrics()

    def _call_from_elsewhere(self, start: float) -> None:
        """Ask for half of the quota, at random moments."""
        rng = Random(self._seed)
        self._time.sleep(start)
        while self._is_unfinished:
            self.result.others_asked.append(self._time.now())
            if self._quota.take(self._time.now()):
                self.result.others.append(self._time.now())
            self._time.sleep(rng.expovariate(self._scenario.rate / 2))
