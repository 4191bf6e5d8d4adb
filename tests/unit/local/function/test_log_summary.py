import json

import pytest

from local.function.execution_environment import LogLine
from local.function.log_summary import summary
from local.function.platform_report import platform_report
from local.function.runtime_api import Failed, Returned


def test_an_event_is_shown_with_its_own_fields_and_without_the_loggers() -> None:
    event = {"level": "INFO", "message": "reply_sent", "timestamp": "2026", "service": "s", "receive_count": 2}
    assert summary(LogLine("environment-1", json.dumps(event))) == "environment-1  reply_sent  receive_count=2"


def test_metrics_and_successful_invocations_are_no_news() -> None:
    assert summary(LogLine("environment-1", '{"_aws": {}, "RepliesSent": [1.0]}')) is None
    report = platform_report("r-1", Returned("{}"), init=None, duration=0.1, memory=256)
    assert summary(LogLine("environment-1", report)) is None


def test_a_crash_and_lines_that_are_no_json_are_shown() -> None:
    report = platform_report("r-1", Failed("Runtime.ExitError", "killed"), init=None, duration=0.1, memory=256)
    assert summary(LogLine("environment-1", report)) == "environment-1  failure: Runtime.ExitError"
    assert summary(LogLine("environment-1", "[ERROR] no")) == "environment-1  [ERROR] no"
    assert summary(LogLine("environment-1", "7")) == "environment-1  7"


@pytest.mark.parametrize(("init", "billed"), [(None, 101), (0.05, 151)])
def test_the_init_phase_is_billed_and_started_milliseconds_count_whole(init: float | None, billed: int) -> None:
    report = json.loads(platform_report("r-1", Returned("{}"), init=init, duration=0.1005, memory=256))
    assert report["record"]["metrics"]["billedDurationMs"] == billed


def test_a_report_names_the_error_without_its_message() -> None:
    report = platform_report("r-1", Failed("ValueError", "ana@example.com"), init=None, duration=0.1, memory=256)
    assert json.loads(report)["record"]["errorType"] == "ValueError"
    assert "ana@example.com" not in report
