"""Queue, event source mapping, function and Connect on a simulated clock; the function's code is the real one."""

from __future__ import annotations

import heapq
import io
import itertools
import json
import os
from collections import deque
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from botocore.exceptions import ClientError

from bench.scenario import Result
from bench.simulated.virtual_time import VirtualTime
from handler.batch import deliver_all
from handler.delivery import Delivery
from handler.observability import Observability
from handler.pacer import Pacer
from handler.sender import Sender
from handler.services.outcomes import Outcomes
from handler.services.payload import Payloads
from handler.settings import Settings
from infra.capacity import Capacity, capacity
from infra.settings import Settings as StackSettings
from local.cdk import INSTANCE_ARN
from local.connect.instance.quota import TokenBucket
from local.replies import reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.scenario import Scenario

POLL_SECONDS = 0.05
"""From the end of an invocation to the start of the next one, where messages wait."""
POLLERS = 5
"""Lambda "starts by processing five batches concurrently, with five concurrent invocations of your function":
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""
ENVIRONMENTS_PER_POLLER = 10
"""Where more are needed; how Lambda grows to them, by 300 environments a minute, is not played."""
COLD_START_SECONDS = 0.6
BODY = json.dumps(reply("c"))


@dataclass(slots=True)
class Message:
    """A message on the simulated queue."""

    id: str
    sent_at: float
    receives: int = 0
    first_received_at: float = 0.0


class Connect:
    """StartOutboundEmailContact as a scenario has it."""

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
        if within(now, self._scenario.outage):
            return refusal(503, "503")
        if not self._quota.take(now):
            self._result.throttled += 1
            self._result.throttled_alone += self._scenario.other_from is None or now < self._scenario.other_from
            return refusal(429, "ThrottlingException")
        if within(now, self._scenario.full):
            return refusal(402, "ServiceQuotaExceededException")
        return None


def within(now: float, span: tuple[float, float] | None) -> bool:
    return span is not None and span[0] <= now < span[1]


def refusal(status: int, code: str) -> ClientError:
    metadata = {"HTTPStatusCode": status, "RequestId": "r"}
    response: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": metadata}
    return ClientError(response, "StartOutboundEmailContact")


class Queue:
    """SQS, as far as the mapping and the function see it."""

    def __init__(self, time: VirtualTime, result: Result, visibility: float) -> None:
        self._time, self._result, self._visibility = time, result, visibility
        self._visible: deque[Message] = deque()
        self._hidden: list[tuple[float, int, Message]] = []
        self._until: dict[str, float] = {}
        self._messages: dict[str, Message] = {}
        self._order = itertools.count()

    def put(self, message: Message) -> None:
        self._messages[message.id] = message
        self._visible.append(message)

    @property
    def empty(self) -> bool:
        return not self._messages

    def next_visible_at(self) -> float:
        return self._hidden[0][0] if self._hidden else float("inf")

    def receive(self, count: int) -> list[dict[str, Any]]:
        now = self._time.now()
        while self._hidden and self._hidden[0][0] <= now:
            at, _, message = heapq.heappop(self._hidden)
            if self._until.get(message.id) == at and message.id in self._messages:
                del self._until[message.id]
                self._visible.append(message)
        records: list[dict[str, Any]] = []
        while self._visible and len(records) < count:
            message = self._visible.popleft()
            message.receives += 1
            message.first_received_at = message.first_received_at or now
            self._hide(message, self._visibility)
            records.append(self._record(message))
        self._result.receives += len(records)
        return records

    def delete(self, message_id: str) -> None:
        self._messages.pop(message_id, None)
        self._until.pop(message_id, None)

    def _hide(self, message: Message, seconds: float) -> None:
        at = self._time.now() + seconds
        self._until[message.id] = at
        heapq.heappush(self._hidden, (at, next(self._order), message))

    def _record(self, message: Message) -> dict[str, Any]:
        return {
            "messageId": message.id,
            "receiptHandle": message.id,
            "body": BODY,
            "attributes": {
                "ApproximateReceiveCount": str(message.receives),
                "SentTimestamp": str(round(message.sent_at * 1000)),
                "ApproximateFirstReceiveTimestamp": str(round(message.first_received_at * 1000)),
            },
            "messageAttributes": {},
        }

    # What the function calls.

    def change_message_visibility(self, *, ReceiptHandle: str, VisibilityTimeout: int, **_: Any) -> None:  # noqa: N803
        self._hide(self._messages[ReceiptHandle], VisibilityTimeout)

    def delete_message(self, *, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803
        self.delete(ReceiptHandle)

    def send_message(self, **_: Any) -> None:
        self._result.dead += 1


def unused() -> Any:
    raise AssertionError("no reply here is in S3, and no event bus is told")


def derived(rate: float) -> Capacity:
    """What the stack derives from a quota."""
    return capacity(StackSettings(instance_arn=INSTANCE_ARN, send_rate=rate))


def simulate(scenario: Scenario, numbers: Capacity, arrivals: Sequence[float], seed: int = 1) -> Result:
    """Let replies arrive and be delivered until none is left.

    Args:
        scenario: What Connect does.
        numbers: What the stack derives from the settings.
        arrivals: When each reply is put on the queue, in seconds, ascending.
        seed: For the jitter and the other caller.
    """
    simulation = Simulation(scenario, numbers, arrivals, seed)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):  # Powertools prints metrics
        simulation.run()
    return simulation.result


class Simulation:
    """Producers, event source mapping, function and another caller, each a program on one clock."""

    def __init__(self, scenario: Scenario, numbers: Capacity, arrivals: Sequence[float], seed: int) -> None:
        self.result = Result()
        self._scenario, self._numbers, self._seed = scenario, numbers, seed
        self._pollers = max(POLLERS, numbers.concurrency // ENVIRONMENTS_PER_POLLER)
        self._time = VirtualTime()
        self._quota = TokenBucket(scenario.rate, scenario.burst)
        self._queue = Queue(self._time, self.result, numbers.visibility_timeout)
        sent_at = {f"m{n}": at for n, at in enumerate(arrivals)}
        self._to_come = deque(sent_at.items())
        self._connect = Connect(scenario, self._time, self._quota, self.result, sent_at)
        self._idle = list(range(numbers.concurrency))  # environments, the one used last at the end
        self._metrics = Metrics(namespace="Simulation", service="simulation")
        logger = Logger(service="simulation", level="CRITICAL", stream=io.StringIO())
        self._observability = Observability(logger, self._metrics, Tracer(disabled=True))

    def run(self) -> None:
        self._time.start(self._producers)
        for number in range(self._numbers.concurrency):
            self._time.start(partial(self._environment, number))
        if self._scenario.other_from is not None:
            self._time.start(partial(self._other_caller, self._scenario.other_from))
        self._time.run()

    @property
    def _goes_on(self) -> bool:
        return bool(self._to_come) or not self._queue.empty

    def _producers(self) -> None:
        while self._to_come:
            message_id, at = self._to_come.popleft()
            if at > self._time.now():
                self._time.sleep(at - self._time.now())
            self._queue.put(Message(message_id, at))

    def _environment(self, number: int) -> None:
        """Receive and invoke, as the mapping does: only while idle, the environments used last first."""
        rng = Random(self._seed * 1000 + number)
        delivery: Delivery | None = None
        self._time.sleep(rng.random() * 0.01)
        while self._goes_on:
            records = self._queue.receive(self._numbers.batch_size) if number in self._idle[-self._pollers :] else []
            if records:
                self._idle.remove(number)
                begun = self._time.now()
                delivery = delivery or self._cold_start(rng)
                self._invoke(delivery, records, begun + self._numbers.function_timeout)
                self.result.billed_seconds += self._time.now() - begun
                self._idle.append(number)
            self._time.sleep(POLL_SECONDS)

    def _cold_start(self, rng: Random) -> Delivery:
        self._time.sleep(COLD_START_SECONDS)
        numbers, time = self._numbers, self._time
        settings = Settings(
            instance_arn=INSTANCE_ARN,
            queue_url="q",
            dead_letter_queue_url="dlq",
            payload_bucket="",
            event_bus_name="",
            send_rate_share=numbers.share,
            burst_share=numbers.burst,
            retry_seconds=numbers.retry_seconds,
            max_receives=numbers.max_receives,
            crash_loop_seconds=numbers.crash_loop_seconds,
            retention_seconds=numbers.retention_seconds,
            allowed_recipients=(),
        )
        sender = Sender(
            settings,
            self._connect,  # type: ignore[arg-type] # the one operation that is called
            Pacer(numbers.share, numbers.burst, time.now, time.sleep),
            Payloads("", unused),
            self._observability,
            time.now,
        )
        return Delivery(
            settings,
            sender,
            lambda: self._queue,  # type: ignore[arg-type, return-value] # the three operations that are called
            Outcomes("", unused, self._observability, time.now, time.sleep),
            self._observability,
            time.now,
            rng,
        )

    def _invoke(self, delivery: Delivery, records: list[dict[str, Any]], ends: float) -> None:
        answer = deliver_all(records, lambda: ends - self._time.now(), delivery)
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for record in records:
            if record["messageId"] not in failed:
                self._queue.delete(record["messageId"])
        self._metrics.clear_metrics()

    def _other_caller(self, begins: float) -> None:
        """Takes half of the quota, at random moments."""
        rng = Random(self._seed)
        self._time.sleep(begins)
        while self._goes_on:
            self.result.others_asked.append(self._time.now())
            if self._quota.take(self._time.now()):
                self.result.others.append(self._time.now())
            self._time.sleep(rng.expovariate(self._scenario.rate / 2))
