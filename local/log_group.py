"""Puts what the function writes into its log group, as Lambda does: a little later, and many lines at once.

CloudWatch then makes metrics of those lines (local/log_group.py).
"""

from __future__ import annotations

import json
import queue
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from botocore.exceptions import BotoCoreError, ClientError

from local.processes import in_background

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef


STREAM = "local"
"""One for all environments, where Lambda has one for each: a request for each would keep moto busy."""
EVERY = 1.0
"""Seconds between two writes, and so how much later lines can be searched; in CloudWatch it is some seconds more."""
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
MAX_EVENTS = 10_000
MAX_EVENTS_BYTES = 1_048_576
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
                for events in event_batches(sorted(taken, key=lambda line: line.timestamp)):
                    self._logs.put_log_events(logGroupName=self.name, logStreamName=STREAM, logEvents=events)
                made = (metrics_of(line.text, self._function, line.timestamp / 1000) for line in taken)
                for namespace, data in metric_batches(chain.from_iterable(made)):
                    self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)

    def _write_now_and_then(self) -> None:
        while not self._ended.wait(EVERY):
            self.flush()


def event_batches(lines: Sequence[Line]) -> Iterator[list[InputLogEventTypeDef]]:
    """The lines, in as few calls of PutLogEvents as its limits allow."""
    batch: list[InputLogEventTypeDef] = []
    size = 0
    for line in lines:
        more = len(line.text.encode()) + EVENT_BYTES
        if batch and (len(batch) == MAX_EVENTS or size + more > MAX_EVENTS_BYTES):
            yield batch
            batch, size = [], 0
        batch.append({"timestamp": line.timestamp, "message": line.text})
        size += more
    if batch:
        yield batch


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
MAX_METRICS = 1000
MAX_METRICS_BYTES = 1_000_000
LAMBDA = "AWS/Lambda"


class Metric(NamedTuple):
    """One metric's values, and the namespace that they belong to."""

    namespace: str
    datum: MetricDatumTypeDef


def metrics_of(line: str, function: str, written: float) -> list[Metric]:
    """The metrics in a line of the function's log; a line that breaks its format makes none, as in CloudWatch.

    Args:
        line: One line.
        function: The function's name.
        written: When the line was written, in seconds since the epoch.
    """
    try:
        said = json.loads(line)
        if "_aws" in said:
            return list(_embedded(said))
        if said["type"] == "platform.report":
            return list(_of_invocation(said["record"], function, written))
    except (KeyError, TypeError, ValueError):
        pass
    return []


def metric_batches(metrics: Iterable[Metric]) -> Iterator[tuple[str, Sequence[MetricDatumTypeDef]]]:
    """The metrics in as few calls of PutMetricData as its limits allow: each one's namespace and data."""
    by_namespace: dict[str, list[MetricDatumTypeDef]] = {}
    for metric in metrics:
        by_namespace.setdefault(metric.namespace, []).append(metric.datum)
    for namespace, data in by_namespace.items():
        batch: list[MetricDatumTypeDef] = []
        size = 0
        for datum in data:
            more = len(json.dumps(datum, default=str))
            if batch and (len(batch) == MAX_METRICS or size + more > MAX_METRICS_BYTES):
                yield namespace, batch
                batch, size = [], 0
            batch.append(datum)
            size += more
        yield namespace, batch


def _embedded(said: dict[str, Any]) -> Iterator[Metric]:
    """One for each metric and set of dimensions; their values are members of the line itself."""
    at = _time(said["_aws"]["Timestamp"] / 1000)
    for directive in said["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: said[name] for name in names}
            for metric in directive["Metrics"]:
                values = said[metric["Name"]]
                datum = _datum(metric["Name"], values if isinstance(values, list) else [values], dimensions, at)
                datum["Unit"] = metric.get("Unit", "None")
                datum["StorageResolution"] = metric.get("StorageResolution", 60)
                yield Metric(directive["Namespace"], datum)


def _of_invocation(record: dict[str, Any], function: str, written: float) -> Iterator[Metric]:
    """Lambda counts an invocation when it began, and each one's errors: none, or one."""
    duration = record["metrics"]["durationMs"]
    failed = record["status"] != "success"
    at = _time(written - duration / 1000)
    dimensions = {"FunctionName": function}
    yield Metric(LAMBDA, _datum("Invocations", [1], dimensions, at) | {"Unit": "Count"})
    yield Metric(LAMBDA, _datum("Errors", [failed], dimensions, at) | {"Unit": "Count"})
    yield Metric(LAMBDA, _datum("Duration", [duration], dimensions, at) | {"Unit": "Milliseconds"})


def _datum(name: str, values: Sequence[float], dimensions: dict[str, str], at: datetime) -> MetricDatumTypeDef:
    return {
        "MetricName": name,
        "Dimensions": [{"Name": dimension, "Value": value} for dimension, value in dimensions.items()],
        "Timestamp": at,
        "Values": [float(value) for value in values],
    }


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
