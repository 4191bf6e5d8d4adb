"""The metrics that CloudWatch makes of lines in the Embedded Metric Format, and Lambda of its own reports.

Formats: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
and local/function/platform_report.py.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
MAX_METRICS = 1000
MAX_BYTES = 1_000_000
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


def batches(metrics: Iterable[Metric]) -> Iterator[tuple[str, Sequence[MetricDatumTypeDef]]]:
    """The metrics in as few calls of PutMetricData as its limits allow: each one's namespace and data."""
    by_namespace: dict[str, list[MetricDatumTypeDef]] = {}
    for metric in metrics:
        by_namespace.setdefault(metric.namespace, []).append(metric.datum)
    for namespace, data in by_namespace.items():
        batch: list[MetricDatumTypeDef] = []
        size = 0
        for datum in data:
            more = len(json.dumps(datum, default=str))
            if batch and (len(batch) == MAX_METRICS or size + more > MAX_BYTES):
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
