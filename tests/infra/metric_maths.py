"""Alarms of a template on metrics as they come: as much of CloudWatch's statistics and maths as the alarms here use.

Sources: "Metric math syntax and functions" and "Configuring how CloudWatch alarms treat missing data" in the Amazon
CloudWatch user guide. A value that is missing makes a result missing; what is missing does not breach. CloudWatch also
looks at some periods before those that it evaluates: with sparse data an alarm is over later than here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from statistics import mean
from typing import Any

type Minutes = Sequence[float | None]
"""A value for each minute; None where there was no data."""

STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "Average": mean,
}
FUNCTIONS: Mapping[str, Callable[..., object]] = {
    "IF": lambda condition, then, otherwise: then if condition else otherwise,
    "MAX": lambda values: max((value for value in values if value is not None), default=None),
}
COMPARISONS = {"GreaterThanThreshold": float.__gt__}


def goes_off(alarm: Mapping[str, Any], data: Mapping[str, Minutes]) -> list[bool]:
    """Whether an alarm is on at the end of each period.

    Args:
        alarm: Its properties in the template.
        data: For each metric, by `name_of`, what came; a metric that is not there has no data at all.
    """
    assert alarm["TreatMissingData"] == "notBreaching"
    breaches = COMPARISONS[alarm["ComparisonOperator"]]
    values = _values(alarm, data)
    breaching = [value is not None and breaches(float(value), float(alarm["Threshold"])) for value in values]
    periods = alarm["EvaluationPeriods"]
    least = alarm.get("DatapointsToAlarm", periods)
    return [sum(breaching[max(0, end - periods) : end]) >= least for end in range(1, len(breaching) + 1)]


def name_of(metric: Mapping[str, Any]) -> str:
    """A metric's name, with what it is of where that is not the function itself."""
    dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
    if group := dimensions.get("MetricGroup"):
        return f"{group}.{metric['MetricName']}"
    queue = str(dimensions.get("QueueName", ""))
    return (
        f"{'letters' if 'DeadLetters' in queue else 'replies'}.{metric['MetricName']}"
        if queue
        else metric["MetricName"]
    )


def _values(alarm: Mapping[str, Any], data: Mapping[str, Minutes]) -> list[float | None]:
    if "Metrics" not in alarm:
        return _by_period(data.get(name_of(alarm), ()), alarm["Period"], alarm["Statistic"], _length(data))
    named: dict[str, list[float | None]] = {}
    expressions = {}
    for query in alarm["Metrics"]:
        if "Expression" in query:
            expressions[query["Id"]] = query
        else:
            stat = query["MetricStat"]
            metric = data.get(name_of(stat["Metric"]), ())
            named[query["Id"]] = _by_period(metric, stat["Period"], stat["Stat"], _length(data))
    (result,) = (query["Id"] for query in expressions.values() if query.get("ReturnData", True))
    return _calculated(result, expressions, named)


def _calculated(
    name: str, expressions: Mapping[str, Any], named: Mapping[str, list[float | None]]
) -> list[float | None]:
    if name in named:
        return named[name]
    text = expressions[name]["Expression"]
    series = {each: _calculated(each, expressions, named) for each in re.findall(r"\b[a-z]\w*", text)}
    text = re.sub(r"\bAND\b", "and", text)
    for each, filler in re.findall(r"FILL\((\w+), (\d+)\)", text):
        if set(series[each]) != {None}:  # CloudWatch does not say that a metric without any data is filled
            series[each] = [float(filler) if value is None else value for value in series[each]]
    text = re.sub(r"FILL\((\w+), \d+\)", r"\1", text)
    length = len(next(iter(series.values())))
    if differs := re.fullmatch(r"DIFF\((\w+)\)", text):
        before = [None, *series[differs[1]]]
        return [
            None if one is None or other is None else one - other
            for one, other in zip(series[differs[1]], before, strict=False)
        ]
    results: list[float | None] = []
    for n in range(length):
        values = {each: values[n] for each, values in series.items()}
        missing = None in values.values() and "MAX(" not in text
        result = None if missing else eval(text, dict(FUNCTIONS), values)  # the template's own text
        results.append(None if result is None else float(result))
    return results


def _by_period(minutes: Minutes, period: int, statistic: str, length: int) -> list[float | None]:
    step = period // 60
    results: list[float | None] = []
    for start in range(0, length, step):
        there = [value for value in minutes[start : start + step] if value is not None]
        results.append(float(STATISTICS[statistic](there)) if there else None)
    return results


def _length(data: Mapping[str, Minutes]) -> int:
    return max(map(len, data.values()))
