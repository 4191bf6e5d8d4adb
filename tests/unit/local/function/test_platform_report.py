import json

import pytest

from local.function.execution_environment import platform_report
from local.function.runtime_api import Failed, Returned


@pytest.mark.parametrize(("init", "billed"), [(None, 101), (0.05, 151)])
def test_the_init_phase_is_billed_and_milliseconds_are_rounded_up(init: float | None, billed: int) -> None:
    report = json.loads(platform_report("r-1", Returned("{}"), init=init, duration=0.1005, memory=256))
    assert report["record"]["metrics"]["billedDurationMs"] == billed


def test_a_report_names_the_error_without_its_message() -> None:
    report = platform_report("r-1", Failed("ValueError", "ana@example.com"), init=None, duration=0.1, memory=256)
    assert json.loads(report)["record"]["errorType"] == "ValueError"
    assert "ana@example.com" not in report
