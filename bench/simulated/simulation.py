"""Queue, event source mapping, function and Connect on a simulated clock; the function's code is the real one."""

from __future__ import annotations

import io
import os
from collections import deque
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics, Tracer

from bench.scenario import Result
from bench.simulated.connect import Connect
from bench.simulated.metrics import MINUTE, MinuteMetrics
from bench.simulated.sqs import Message, Queue
from bench.simulated.virtual_time import VirtualTime
from handler.delivery import Delivery, create_delivery
from handler.observability import Observability
from handler.settings import Settings
from infra.capacity import Capacity, capacity
from infra.settings import Settings as StackSettings
from local.cdk import INSTANCE_ARN
from local.connect.quotas import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.scenario import Scenario

POLL_SECONDS = 0.05
"""From the end of an invocation to the start of the next one, where messages wait."""
LONG_POLL_SECONDS = 1.0
"""Longest between two looks of a poller at a queue in which nothing can be received; an arrival is seen at once."""
A_MOMENT = 0.001
POLLERS = 5
"""Lambda "starts by processing five batches concurrently, with five concurrent invocations of your function":
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""
ENVIRONMENTS_PER_POLLER = 10
"""Where more are needed; how Lambda grows to them, by 300 environments a minute, is not played."""
COLD_START_SECONDS = 0.6


def unused() -> Any:
    raise AssertionError("no reply here is in S3, and no event bus is told")


def derived(rate: float) -> Capacity:
    """What the stack derives from a quota."""
    return capacity(StackSettings(instance_arn=INSTANCE_ARN, send_rate=rate))


def simulate(
    scenario: Scenario, numbers: Capacity, arrivals: Sequence[float], seed: int = 1, *, watched: bool = False
) -> Result:
    """Let replies arrive and be delivered until none is left.

    Args:
        scenario: What Connect does.
        numbers: What the stack derives from the settings.
        arrivals: When each reply is put on the queue, in seconds, ascending.
        seed: For the jitter and the other caller.
        watched: Whether the result has the metrics of each minute, which takes long where many replies wait.
    """
    simulation = Simulation(scenario, numbers, arrivals, seed, watched=watched)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):  # Powertools prints metrics
        simulation.run()
    return simulation.result


class Simulation:
    """Producers, event source mapping, function and another caller, each a program on one clock."""

    def __init__(
        self, scenario: Scenario, numbers: Capacity, arrivals: Sequence[float], seed: int, *, watched: bool
    ) -> None:
        self.result = Result()
        self._scenario, self._numbers, self._seed, self._watched = scenario, numbers, seed, watched
        self._pollers = max(POLLERS, numbers.concurrency // ENVIRONMENTS_PER_POLLER)
        self._time = VirtualTime()
        self._quota = TokenBucket(scenario.rate, scenario.burst)
        self._queue = Queue(self._time, self.result, numbers.visibility_timeout)
        self._minutes = MinuteMetrics(self._queue)
        self.result.minutes = self._minutes.minutes
        sent_at = {f"m{n}": at for n, at in enumerate(arrivals)}
        self._to_come = deque(sent_at.items())
        self._connect = Connect(scenario, self._time, self._quota, self.result, sent_at)
        self._idle = list(range(numbers.concurrency))  # environments, the one used last at the end
        self._metrics = Metrics(namespace="Simulation", service="simulation")
        self._metrics.clear_metrics()  # Powertools keeps what others in this process have counted
        logger = Logger(service="simulation", level="CRITICAL", stream=io.StringIO())
        self._observability = Observability(logger, self._metrics, Tracer(disabled=True))

    def run(self) -> None:
        self._time.start(self._producers)
        for number in range(self._numbers.concurrency):
            self._time.start(partial(self._environment, number))
        if self._watched:
            self._time.start(self._cloudwatch)
        if self._scenario.other_from is not None:
            self._time.start(partial(self._other_caller, self._scenario.other_from))
        self._time.run()

    @property
    def _goes_on(self) -> bool:
        return bool(self._to_come) or not self._queue.empty

    def _cloudwatch(self) -> None:
        while self._goes_on:
            self._time.sleep(MINUTE)
            self._minutes.end_minute()

    def _producers(self) -> None:
        while self._to_come:
            message_id, at = self._to_come[0]
            if at > self._time.now():
                self._time.sleep(at - self._time.now())
            self._to_come.popleft()
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
            self._time.sleep(POLL_SECONDS if records else self._pause(number))

    def _pause(self, number: int) -> float:
        """Seconds until a poller that has found nothing looks again: when something comes, or soon."""
        visible, _hidden = self._queue.counts()
        if visible:  # it was not its turn
            return POLL_SECONDS
        coming = self._to_come[0][1] if self._to_come else float("inf")
        later = A_MOMENT * (len(self._idle) - self._idle.index(number))  # the one used last comes first
        next_at = min(coming, self._queue.next_visible_at()) + later
        return min(LONG_POLL_SECONDS, max(A_MOMENT, next_at - self._time.now()))

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
        return create_delivery(
            settings,
            self._observability,
            connect=self._connect,  # type: ignore[arg-type] # the one operation that is called
            sqs=lambda: self._queue,  # type: ignore[arg-type, return-value] # the two operations that are called
            s3=unused,
            events=unused,
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

    def _other_caller(self, begins: float) -> None:
        """Takes half of the quota, at random moments."""
        rng = Random(self._seed)
        self._time.sleep(begins)
        while self._goes_on:
            self.result.others_asked.append(self._time.now())
            if self._quota.take(self._time.now()):
                self.result.others.append(self._time.now())
            self._time.sleep(rng.expovariate(self._scenario.rate / 2))
