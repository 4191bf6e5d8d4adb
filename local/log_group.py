"""Puts the function's lines into its log group, as Lambda does, and the metrics in the lines into CloudWatch.

Some lines are in the Embedded Metric Format:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
Others are Lambda's reports of invocations (``platform_report`` in local/function/execution_environment.py).
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
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef


STREAM = "local"
"""One for all environments. Lambda has one for each, but that would need more requests to moto."""
WRITE_SECONDS = 1.0
"""Seconds between two writes. After this time a query finds a line. In CloudWatch it takes some seconds longer."""
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
MAX_EVENTS = 10_000
MAX_EVENTS_BYTES = 1_048_576
EVENT_BYTES = 26
"""Bytes that CloudWatch counts for each event in addition to its text."""
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
MAX_METRICS = 1000
MAX_METRICS_BYTES = 1_000_000
LAMBDA = "AWS/Lambda"


class Line(NamedTuple):
    """A line, and when it was written in milliseconds since the epoch."""

    timestamp: int
    text: str


class LogGroup:
    """Takes lines, and writes them in the background. It drops lines that the log group refuses.

    Args:
        logs: The client for the log group.
        name: The name of the log group, which must exist.
        cloudwatch: The client for the metrics.
        function: The function's name.
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
        with suppress(self._logs.exceptions.ResourceAlreadyExistsException):  # the stack was deployed before
            self._logs.create_log_stream(logGroupName=self.name, logStreamName=STREAM)
        self._writer = in_background(self._write, name="log group")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._writer.join()

    def put(self, text: str) -> None:
        """Take a line, to write it later."""
        if text:  # CloudWatch refuses empty lines
            self._lines.put(Line(int(time.time() * 1000), text))

    def flush(self) -> None:
        """Write all lines so far and their metrics, so that a query finds them."""
        with self._writing:
            taken = [self._lines.get() for _ in range(self._lines.qsize())]
            taken.sort(key=lambda line: line.timestamp)
            with suppress(BotoCoreError, ClientError):  # moto has stopped, or a test has reset it
                for lines in batches(taken, _event_bytes, MAX_EVENTS, MAX_EVENTS_BYTES):
                    events: list[InputLogEventTypeDef] = [{"timestamp": at, "message": text} for at, text in lines]
                    self._logs.put_log_events(logGroupName=self.name, logStreamName=STREAM, logEvents=events)
                made = (metrics_of(line.text, self._function, line.timestamp / 1000) for line in taken)
                for namespace, data in metric_batches(chain.from_iterable(made)):
                    self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)

    def _write(self) -> None:
        while not self._ended.wait(WRITE_SECONDS):
            self.flush()


def batches[Item](
    items: Iterable[Item], size: Callable[[Item], int], max_items: int, max_bytes: int
) -> Iterator[list[Item]]:
    """Split items into as few lists as these limits allow."""
    batch: list[Item] = []
    total = 0
    for item in items:
        added = size(item)
        if batch and (len(batch) == max_items or total + added > max_bytes):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += added
    if batch:
        yield batch


def _event_bytes(line: Line) -> int:
    return len(line.text.encode()) + EVENT_BYTES


class Metric(NamedTuple):
    """The values of a metric, and its namespace."""

    namespace: str
    datum: MetricDatumTypeDef


def metrics_of(line: str, function: str, written: float) -> list[Metric]:
    """Return the metrics in a line of the function's log. As in CloudWatch, a malformed line has none.

    Args:
        line: The line.
        function: The function's name.
        written: When the line was written, in seconds since the epoch.
    """
    try:
        fields = json.loads(line)
        if "_aws" in fields:
            return list(_embedded(fields))
        if fields["type"] == "platform.report":
            return list(_of_invocation(fields["record"], function, written))
    except (KeyError, TypeError, ValueError):
        pass
    return []


def metric_batches(metrics: Iterable[Metric]) -> Iterator[tuple[str, Sequence[MetricDatumTypeDef]]]:
    """Split metrics into as few PutMetricData requests as its limits allow: namespace and data of each."""
    by_namespace: dict[str, list[MetricDatumTypeDef]] = {}
    for metric in metrics:
        by_namespace.setdefault(metric.namespace, []).append(metric.datum)
    for namespace, data in by_namespace.items():
        for batch in batches(data, lambda datum: len(json.dumps(datum, default=str)), MAX_METRICS, MAX_METRICS_BYTES):
            yield namespace, batch


def _embedded(fields: dict[str, Any]) -> Iterator[Metric]:
    """Yield a metric for each name and set of dimensions. The values are members of the line."""
    at = _time(fields["_aws"]["Timestamp"] / 1000)
    for directive in fields["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: fields[name] for name in names}
            for metric in directive["Metrics"]:
                values = fields[metric["Name"]]
                datum = _datum(metric["Name"], values if isinstance(values, list) else [values], dimensions, at)
                datum["Unit"] = metric.get("Unit", "None")
                datum["StorageResolution"] = metric.get("StorageResolution", 60)
                yield Metric(directive["Namespace"], datum)


def _of_invocation(record: dict[str, Any], function: str, written: float) -> Iterator[Metric]:
    """Yield Lambda's metrics of an invocation, stamped with its start. Errors is 0 or 1."""
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
