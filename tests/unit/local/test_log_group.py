"""What CloudWatch makes of the function's lines, and how it goes to PutMetricData."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from local.function.execution_environment import platform_report
from local.function.runtime_api import Failed, Returned
from local.log_group import LAMBDA, MAX_METRICS, MAX_METRICS_BYTES, Metric, metric_batches, metrics_of

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)


def embedded(**more: Any) -> dict[str, Any]:
    directive = {
        "Namespace": "ReplyCourier",
        "Dimensions": [["service"]],
        "Metrics": [{"Name": "RepliesSent", "Unit": "Count"}],
    }
    aws = {"Timestamp": AT.timestamp() * 1000, "CloudWatchMetrics": [directive]}
    return {"_aws": aws, "service": "reply-courier", "RepliesSent": 1.0} | more


def made(line: object) -> list[Metric]:
    return metrics_of(json.dumps(line), "reply-courier-function", AT.timestamp())


def test_an_embedded_metric_has_the_time_in_its_line() -> None:
    assert made(embedded()) == [
        Metric(
            "ReplyCourier",
            {
                "MetricName": "RepliesSent",
                "Dimensions": [{"Name": "service", "Value": "reply-courier"}],
                "Timestamp": AT,
                "Values": [1.0],
                "Unit": "Count",
                "StorageResolution": 60,
            },
        )
    ]


def test_an_array_is_a_metric_with_several_values() -> None:
    (metric,) = made(embedded(RepliesSent=[1.0, 1.0, 2.5]))
    assert metric.datum["Values"] == [1.0, 1.0, 2.5]


def test_each_set_of_dimensions_makes_a_metric_even_an_empty_set() -> None:
    line = embedded(reason="NotFound")
    line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] = [["service", "reason"], ["service"], []]
    dimensions = [[each["Name"] for each in metric.datum["Dimensions"]] for metric in made(line)]
    assert dimensions == [["service", "reason"], ["service"], []]


def test_a_metric_without_a_unit_has_the_unit_none() -> None:
    line = embedded()
    del line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"]
    (metric,) = made(line)
    assert metric.datum["Unit"] == "None"


@pytest.mark.parametrize(
    "line",
    [
        {"message": "reply_sent"},
        {"type": "platform.start", "record": {}},
        {"type": "platform.report", "record": {"status": "success"}},
        {"_aws": None},
        {"_aws": {"CloudWatchMetrics": []}},
        embedded(RepliesSent="one"),
        {name: value for name, value in embedded().items() if name != "service"},
        {name: value for name, value in embedded().items() if name != "RepliesSent"},
        [],
        7,
        None,
    ],
)
def test_a_line_without_valid_metrics_makes_none(line: object) -> None:
    assert made(line) == []


def test_a_line_that_is_not_json_makes_no_metric() -> None:
    assert metrics_of("Traceback (most recent call last):", "f", 0) == []


@pytest.mark.parametrize(("outcome", "errors"), [(Returned("{}"), 0), (Failed("Sandbox.Timedout", "late"), 1)])
def test_a_report_counts_the_invocation_at_its_start(outcome: Returned | Failed, errors: int) -> None:
    report = platform_report("r-1", outcome, init=None, duration=1.5, memory=256)
    metrics = metrics_of(report, "reply-courier-function", AT.timestamp() + 1.5)
    assert {metric.namespace for metric in metrics} == {LAMBDA}
    assert {metric.datum["Timestamp"] for metric in metrics} == {AT}
    values = {metric.datum["MetricName"]: (metric.datum["Values"], metric.datum["Unit"]) for metric in metrics}
    assert values == {
        "Invocations": ([1], "Count"),
        "Errors": ([errors], "Count"),
        "Duration": ([1500], "Milliseconds"),
    }
    assert metrics[0].datum["Dimensions"] == [{"Name": "FunctionName", "Value": "reply-courier-function"}]


def test_a_call_has_one_namespace_and_at_most_1000_metrics() -> None:
    ours, lambdas = Metric("ReplyCourier", {"MetricName": "A"}), Metric(LAMBDA, {"MetricName": "B"})
    calls = [
        (namespace, len(data)) for namespace, data in metric_batches([lambdas, *[ours] * (MAX_METRICS + 1), lambdas])
    ]
    assert calls == [(LAMBDA, 2), ("ReplyCourier", MAX_METRICS), ("ReplyCourier", 1)]


def test_metrics_are_split_at_the_size_limit_of_a_call() -> None:
    large = [Metric("N", {"MetricName": str(n), "Values": [0.5] * 30_000}) for n in range(40)]
    calls = [data for _, data in metric_batches(large)]
    assert all(sum(len(json.dumps(datum)) for datum in data) <= MAX_METRICS_BYTES for data in calls)
    assert len(calls) > 1
    assert [datum["MetricName"] for data in calls for datum in data] == [str(n) for n in range(40)]


def test_no_metrics_make_no_call() -> None:
    assert list(metric_batches([])) == []
