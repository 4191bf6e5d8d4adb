import json
from datetime import UTC, datetime

import pytest

from local.function.execution_environment import LogLine, platform_report
from local.function.runtime_api import Failed, Returned
from local.up import summary

NOW = datetime(2026, 11, 26, 9, 30, 15, tzinfo=UTC)


def shown(line: str) -> str | None:
    return summary(LogLine("environment-1", line), NOW)


def test_a_log_line_is_shown_with_its_time_and_most_important_fields() -> None:
    event = {
        "level": "INFO",
        "message": "reply_retried",
        "timestamp": "2026-11-26T09:30:14.123+00:00",
        "service": "s",
        "message_id": "m-1",
        "client_token": "t-1",
        "receive_count": 2,
        "cause": "Throttled",
        "connect_request_id": "r-1",
        "retry_in_seconds": 3,
    }
    expected = "09:30:14  reply_retried  client_token=t-1  cause=Throttled  retry_in_seconds=3  receive 2"
    assert shown(json.dumps(event)) == expected


@pytest.mark.parametrize("time", [None, "2026", 7])
def test_a_log_line_without_a_valid_time_is_shown_with_the_current_time(time: object) -> None:
    assert shown(json.dumps({"message": "reply_sent", "timestamp": time, "receive_count": 1})) == "09:30:15  reply_sent"


def test_metrics_and_successful_invocations_are_not_shown() -> None:
    assert shown('{"_aws": {}, "RepliesSent": [1.0]}') is None
    assert shown(platform_report("r-1", Returned("{}"), init=None, duration=0.1, memory=256)) is None


def test_crashes_and_lines_that_are_not_json_are_shown() -> None:
    report = platform_report("r-1", Failed("Runtime.ExitError", "killed"), init=None, duration=0.1, memory=256)
    assert shown(report) == "09:30:15  failure: Runtime.ExitError"
    assert shown("[ERROR] no") == "09:30:15  [ERROR] no"
    assert shown("7") == "09:30:15  7"
