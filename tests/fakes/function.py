"""The function's delivery on doubles of SQS and Connect, and a clock that passes only while code sleeps."""

import io
import itertools
from collections.abc import Callable
from dataclasses import fields, replace
from random import Random
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer

from bench.dynamodb import Table
from handler.delivery import Delivery, create_delivery
from handler.observability import Observability
from handler.sender import Sender
from handler.settings import Settings
from tests.fakes.connect import FakeConnect
from tests.fakes.event_bus import FakeEventBus
from tests.fakes.s3 import FakeS3
from tests.fakes.sqs import DEAD_LETTERS, FakeSqs
from tests.samples import INSTANCE_ARN

SEEDS = itertools.count(1)
"""No two environments draw the same marks."""
PAYLOADS = "payloads"
"""The stack's bucket."""


class FakeClock:
    """A clock that only goes on when somebody sleeps, or when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def settings(event_bus_name: str = "") -> Settings:
    """Settings such as a stack has."""
    return Settings(
        INSTANCE_ARN,
        "queue",
        DEAD_LETTERS,
        payload_bucket=PAYLOADS,
        draft_table="drafts",
        event_bus_name=event_bus_name,
        send_rate_share=1,
        burst_share=1,
        retry_seconds=21_600,
        max_receives=116,
        crash_loop_seconds=64_800,
        retention_seconds=1_209_600,
        allowed_recipients=(),
    )


def delivery(
    connect: FakeConnect,
    sqs: FakeSqs,
    *,
    log: io.StringIO,
    clock: FakeClock | None = None,
    now: float | Callable[[], float] = 1_800_000_001,
    s3: FakeS3 | None = None,
    bus: FakeEventBus | None = None,
    table: Table | None = None,
) -> Delivery:
    """The real delivery on the fakes, at one reply a second of a clock that passes only when it waits."""
    clock = clock or FakeClock()
    wall_clock = now if callable(now) else lambda: now
    table = table or Table(wall_clock)
    logger = Logger(service="fakes")
    for handler in logger.handlers:  # one logger for all tests, since Powertools keeps it by its name
        handler.setStream(log)  # type: ignore[attr-defined] # it is a StreamHandler
    observability = Observability(logger, Metrics(namespace="Fakes", service="fakes"), Tracer(disabled=True))
    return create_delivery(
        settings("bus" if bus else ""),
        observability,
        connect=connect,  # type: ignore[arg-type] # the one operation that is called
        sqs=lambda: sqs,  # type: ignore[arg-type, return-value] # the two operations that are called
        s3=lambda: s3 or FakeS3(),  # type: ignore[arg-type, return-value] # as above
        events=lambda: bus,  # type: ignore[arg-type, return-value] # as above
        draft_clients=lambda: (connect, connect, table),  # type: ignore[arg-type, return-value] # as above
        now=wall_clock,
        monotonic=clock,
        sleep=clock.sleep,
        rng=Random(next(SEEDS)),
    )


def changed(delivery: Delivery, **changes: Any) -> Delivery:
    """The delivery with other parts, wherever it holds them."""
    parts = {field.name for field in fields(Delivery)}
    sender = replace(delivery.sender, **{n: v for n, v in changes.items() if n in {f.name for f in fields(Sender)}})
    return replace(delivery, sender=sender, **{name: value for name, value in changes.items() if name in parts})
