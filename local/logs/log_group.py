"""Puts what the function writes into its log group, as Lambda does: a little later, and many lines at once.

CloudWatch then makes metrics of those lines (local/logs/metrics.py).
"""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Self

from botocore.exceptions import BotoCoreError, ClientError

from local.logs import metrics
from local.processes import in_background

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

STREAM = "local"
"""One for all environments, where Lambda has one for each: a request for each would keep moto busy."""
EVERY = 1.0
"""Seconds between two writes, and so how much later lines can be searched; in CloudWatch it is some seconds more."""
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
MAX_EVENTS = 10_000
MAX_BYTES = 1_048_576
EVENT_BYTES = 26
"""What each event counts beside its text."""


class Line(NamedTuple):
    """What was written, and when, in milliseconds since the epoch."""

    timestamp: int
    text: str


class LogGroup:
    """Takes lines at once and writes them behind everybody's back; what the log group refuses is dropped.

    Args:
        logs: The client.
        name: The log group, which has to be there.
        cloudwatch: Where the lines' metrics go.
        function: The name of the function that writes them.
    """

    def __init__(self, logs: CloudWatchLogsClient, name: str, cloudwatch: CloudWatchClient, function: str) -> None:
        self._logs = logs
        self.name = name
        self._cloudwatch = cloudwatch
        self._function = function
        self._lines: queue.SimpleQueue[Line] = queue.SimpleQueue()
        self._writing = threading.Lock()
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        with suppress(self._logs.exceptions.ResourceAlreadyExistsException):  # another deployment of the same stack
            self._logs.create_log_stream(logGroupName=self.name, logStreamName=STREAM)
        self._writer = in_background(self._write_now_and_then, name="log group")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._writer.join()

    def put(self, text: str) -> None:
        """Take a line."""
        if text:  # CloudWatch refuses empty ones
            self._lines.put(Line(int(time.time() * 1000), text))

    def flush(self) -> None:
        """Write all lines taken so far, and their metrics, so that a query finds them."""
        with self._writing:
            taken = [self._lines.get() for _ in range(self._lines.qsize())]
            with suppress(BotoCoreError, ClientError):  # moto is gone, or was reset by a test
                for events in batches(sorted(taken, key=lambda line: line.timestamp)):
                    self._logs.put_log_events(logGroupName=self.name, logStreamName=STREAM, logEvents=events)
                made = (metrics.metrics_of(line.text, self._function, line.timestamp / 1000) for line in taken)
                for namespace, data in metrics.batches(chain.from_iterable(made)):
                    self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)

    def _write_now_and_then(self) -> None:
        while not self._ended.wait(EVERY):
            self.flush()


def batches(lines: Sequence[Line]) -> Iterator[list[InputLogEventTypeDef]]:
    """The lines, in as few calls of PutLogEvents as its limits allow."""
    batch: list[InputLogEventTypeDef] = []
    size = 0
    for line in lines:
        more = len(line.text.encode()) + EVENT_BYTES
        if batch and (len(batch) == MAX_EVENTS or size + more > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append({"timestamp": line.timestamp, "message": line.text})
        size += more
    if batch:
        yield batch
