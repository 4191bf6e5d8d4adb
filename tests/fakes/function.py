"""The function's delivery on doubles of SQS and Connect, and a clock that passes only when somebody waits."""

import io
from random import Random

from aws_lambda_powertools import Logger, Metrics, Tracer

from handler.delivery import Delivery
from handler.observability import Observability
from handler.pacer import Pacer
from handler.settings import Settings
from tests.fakes.connect import FakeConnect
from tests.fakes.sqs import DEAD_LETTERS, FakeSqs
from tests.samples import INSTANCE_ARN


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


def delivery(
    connect: FakeConnect, sqs: FakeSqs, *, log: io.StringIO, clock: FakeClock | None = None, now: float = 1_800_000_001
) -> Delivery:
    """The real delivery on the fakes, at one reply a second of a clock that passes only when it waits."""
    clock = clock or FakeClock()
    settings = Settings(
        INSTANCE_ARN,
        "queue",
        DEAD_LETTERS,
        send_rate_share=1,
        burst_share=1,
        retry_seconds=21_600,
        max_receives=116,
        crash_loop_seconds=64_800,
        retention_seconds=1_209_600,
        allowed_recipients=(),
    )
    logger = Logger(service="fakes")
    for handler in logger.handlers:  # one logger for all tests, since Powertools keeps it by its name
        handler.setStream(log)  # type: ignore[attr-defined] # it is a StreamHandler
    observability = Observability(logger, Metrics(namespace="Fakes", service="fakes"), Tracer(disabled=True))
    return Delivery(
        settings=settings,
        connect=connect,  # type: ignore[arg-type] # the one operation that is called
        sqs=lambda: sqs,  # type: ignore[arg-type, return-value] # the three operations that are called
        pacer=Pacer(settings.send_rate_share, settings.burst_share, clock, clock.sleep),
        observability=observability,
        now=lambda: now,
        rng=Random(1),
    )
