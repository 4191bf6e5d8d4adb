"""Faults between a caller and SQS, EventBridge or DynamoDB: an HTTP proxy passes requests on, or makes them fail."""

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from random import Random
from threading import Lock
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

from local.http_server import CLOSE, Answer, FaultPlan, HttpServer, Request
from local.moto.sqs_gate import SqsError

type Kind = Literal["error", "throttle", "refuse", "gone", "drop_before", "drop_after", "garbage_after", "late"]
"""A kind of fault. A drop closes the connection, before or after the service handles the request. With "garbage_after"
and "late" the service handles it, but the answer can't be read, or comes so many seconds later."""

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html and SendMessage's own errors
ANSWERS: dict[Kind, SqsError] = {
    "error": SqsError("InternalFailure", "The request failed because of an internal error.", "InternalFailure", 500),
    "throttle": SqsError("RequestThrottled", "The request was denied due to request throttling.", "RequestThrottled"),
    "refuse": SqsError("AccessDenied", "Access to the resource is denied.", "AccessDenied", 403),
    "gone": SqsError(
        "QueueDoesNotExist", "The specified queue does not exist.", "AWS.SimpleQueueService.NonExistentQueue"
    ),
}
"""The answers to requests that don't reach SQS or EventBridge."""
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
DYNAMODB_NAMES: dict[Kind, str] = {
    "error": "InternalServerError",
    "throttle": "ThrottlingException",
    "refuse": "AccessDeniedException",
    "gone": "ResourceNotFoundException",
}
"""The same errors in DynamoDB, where all of them but the first have the status 400."""
# The first three are for one of the two connections only (RFC 9110, 7.6.1). The proxy sends its own of the others.
OWN_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@dataclass
class Fault:
    """A fault, and the requests that it strikes: the next ``times`` of an operation. None means all."""

    operation: str
    kind: Kind
    times: int | None
    probability: float
    seconds: float


class SqsFaults:
    """A context manager that serves AWS at ``url``, with faults. Many threads can use it.

    Args:
        upstream_url: The URL of AWS, http://host:port.
        rng: Decides about faults with a probability. Seed it to repeat a run.
    """

    def __init__(self, upstream_url: str, rng: Random) -> None:
        self.rng = rng
        self._upstream = urlsplit(upstream_url).netloc
        self._faults: FaultPlan[Fault] = FaultPlan()
        self._struck: Counter[tuple[str, Kind]] = Counter()
        self._lock = Lock()

    def __enter__(self) -> Self:
        self._proxy = HttpServer(self._answer)
        self._proxy.start("SQS proxy")
        self.url = self._proxy.url
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._proxy.stop()

    def fail(
        self, operation: str, kind: Kind, *, times: int | None = None, probability: float = 1.0, seconds: float = 0
    ) -> None:
        """Make requests of an operation, such as "SendMessage", fail. Earlier faults take precedence."""
        with self._lock:
            self._faults.add(Fault(operation, kind, times, probability, seconds))

    def clear(self) -> None:
        """Remove all faults. ``struck`` keeps its counts."""
        with self._lock:
            self._faults.clear()

    @property
    def struck(self) -> Counter[tuple[str, Kind]]:
        """How many requests failed, by operation and kind of fault."""
        with self._lock:
            return self._struck.copy()

    def _answer(self, request: Request) -> Answer:
        service, _, operation = request.headers.get("X-Amz-Target", "").rpartition(".")
        fault = self._strike(operation)
        if fault is None:
            return forward(request, self._upstream)
        match fault.kind:
            case "drop_before":
                return CLOSE
            case "drop_after":
                forward(request, self._upstream)
                return CLOSE
            case "garbage_after":
                return replace(forward(request, self._upstream), body=b"<<< not JSON")
            case "late":
                return replace(forward(request, self._upstream), wait_seconds=fault.seconds)
            case kind:
                error = ANSWERS[kind]
                if service.startswith("DynamoDB"):
                    status = error.status if kind == "error" else 400
                    error = replace(error, shape=DYNAMODB_NAMES[kind], code=DYNAMODB_NAMES[kind], status=status)
                return Answer(error.status, error.body, error.headers)

    def _strike(self, operation: str) -> Fault | None:
        with self._lock:
            fault = self._faults.strike(lambda each: each.operation == operation, self.rng)
            if fault:
                self._struck[operation, fault.kind] += 1
            return fault


def forward(request: Request, upstream: str) -> Answer:
    """Pass a request on to host:port, with its Host and signature, and return the answer."""
    with closing(HTTPConnection(upstream)) as connection:
        connection.putrequest(request.method, request.url, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.items():
            connection.putheader(name, value)
        connection.endheaders(request.body)
        answer = connection.getresponse()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in OWN_HEADERS}
        return Answer(answer.status, answer.read(), headers)
