"""SQS and Connect in memory, for tests that need thousands of deliveries: they answer, refuse and crash as told."""

import io
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from botocore.exceptions import ClientError, ConnectionClosedError

from handler.delivery import Delivery
from handler.observability import Observability
from handler.pacer import Pacer
from handler.settings import Settings
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


class CrashError(BaseException):
    """The function's process is gone: no code of the function may catch this."""


def refusal(status: int, code: str, message: str = "") -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "request-1", "RetryAttempts": 0},
    }
    return ClientError(response, "AnyOperation")


@dataclass
class FakeConnect:
    """Accepts each token once, for contacts that exist; `before` and `after` acceptance something may happen."""

    repeat_conflicts: bool = False
    contacts: set[str] | None = None
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    calls: list[dict[str, Any]] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)

    def start_outbound_email_contact(self, **request: Any) -> dict[str, Any]:
        self.before()
        self.calls.append(request)
        if request["ClientToken"] in {email["ClientToken"] for email in self.accepted}:
            if self.repeat_conflicts:
                raise refusal(409, "IdempotencyException")
        elif self.contacts is not None and request["ContactId"] not in self.contacts:
            raise refusal(404, "ResourceNotFoundException")
        else:
            self.accepted.append(request)
        self.after()
        return {"ContactId": request["ContactId"], "ResponseMetadata": {"RequestId": "request-1"}}


@dataclass
class FakeSqs:
    """Takes what the function sends; `before` and `after` taking it something may happen."""

    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    dead_letters: list[dict[str, Any]] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    hidden_for: list[int] = field(default_factory=list)
    ids: Any = field(default_factory=itertools.count)

    def send_message(self, **request: Any) -> dict[str, Any]:
        self.before()
        request["MessageBody"].encode()
        message_id = f"letter-{next(self.ids)}"
        self.dead_letters.append({"id": message_id, **request})
        self.after()
        return {"MessageId": message_id}

    def change_message_visibility(self, **request: Any) -> None:
        self.before()
        self.hidden_for.append(request["VisibilityTimeout"])

    def delete_message(self, **request: Any) -> None:
        self.before()
        self.deleted.add(request["ReceiptHandle"])
        self.after()


def lost_answer() -> None:
    raise ConnectionClosedError(endpoint_url="x")


def crash() -> None:
    raise CrashError


def delivery(
    connect: FakeConnect, sqs: FakeSqs, *, log: io.StringIO, clock: FakeClock | None = None, now: float = 1_800_000_001
) -> Delivery:
    """The real delivery on the fakes, at one reply a second of a clock that passes only when it waits."""
    clock = clock or FakeClock()
    settings = Settings(
        INSTANCE_ARN,
        "queue",
        "dead-letters",
        send_rate_share=1,
        burst_share=1,
        retry_seconds=21_600,
        max_receives=116,
    )
    logger = Logger(service="fakes")
    for handler in logger.handlers:  # one logger for all tests, since Powertools keeps it by its name
        handler.setStream(log)  # type: ignore[attr-defined] # it is a StreamHandler
    observability = Observability(logger, Metrics(namespace="Fakes", service="fakes"), Tracer(disabled=True))
    return Delivery(
        settings=settings,
        connect=connect,  # type: ignore[arg-type] # the one operation that is called
        sqs=sqs,  # type: ignore[arg-type] # the three operations that are called
        pacer=Pacer(settings.send_rate_share, settings.burst_share, clock, clock.sleep),
        observability=observability,
        now=lambda: now,
        rng=Random(1),
    )
