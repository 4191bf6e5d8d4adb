import json
import os
import signal
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.aws import LocalAws
from local.function.deployed_function import DeployedFunction, DeploymentWatch
from local.function.execution_environment import ExecutionEnvironment, LogLine
from local.function.runtime_api import Failed, Returned
from local.function.runtime_process import Surroundings
from local.processes import ProcessGroup
from local.waiting import until
from tests.processes import is_alive

type Deploy = Callable[..., DeployedFunction]
type Logs = list[LogLine]


@pytest.fixture
def logs() -> Logs:
    return []


@pytest.fixture
def run(processes: ProcessGroup, surroundings: Surroundings, logs: Logs) -> Any:
    @contextmanager
    def started(function: DeployedFunction) -> Iterator[ExecutionEnvironment]:
        environment = ExecutionEnvironment("environment-1", lambda: function, surroundings, processes, logs.append)
        yield environment
        environment.close()

    return started


def describe(environment: ExecutionEnvironment) -> dict[str, Any]:
    outcome = environment.invoke({"do": "describe"})
    assert isinstance(outcome, Returned)
    description: dict[str, Any] = json.loads(outcome.payload)
    return description


def reports(logs: Logs) -> list[dict[str, Any]]:
    return [json.loads(log.line)["record"] for log in logs if log.line.startswith('{"type": "platform.report"')]


def test_a_process_serves_several_invocations(deploy_tiny: Deploy, run: Any) -> None:
    with run(deploy_tiny("reused")) as environment:
        assert environment.invoke({"do": "answer", "value": [1, "ü", None]}) == Returned('[1, "ü", null]')
        assert describe(environment)["pid"] == describe(environment)["pid"]


def test_packages_come_from_the_deployed_zip_and_not_from_this_project(deploy_tiny: Deploy, run: Any) -> None:
    function = deploy_tiny("packages")
    with run(function) as environment:
        description = describe(environment)
    assert description["packages"] == str(function.code / "boto3.py")
    assert not [folder for folder in description["path"] if "site-packages" in folder]


def test_a_process_has_the_deployed_variables_and_lambdas_and_no_others(
    deploy_tiny: Deploy, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THIS_MACHINE", "leaked")
    function = deploy_tiny("variables")
    with run(function) as environment:
        description = describe(environment)
    seen = description["environment"]
    assert seen["COLOUR"] == "blue"
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == "variables"
    assert seen["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert seen["LAMBDA_TASK_ROOT"] == str(function.code)
    assert seen["AWS_ENDPOINT_URL"] == "http://localhost:1"
    assert seen["_X_AMZN_TRACE_ID"].endswith(";Sampled=1")
    assert "SECRET_OF_THIS_MACHINE" not in seen
    assert not {name for name, value in seen.items() if os.environ.get(name) == value} - {
        "LANG",
        "PATH",
        "TZ",
        "LC_CTYPE",
    }
    assert description["encoding"] == "utf-8"


def test_changed_variables_reach_the_next_invocation_in_a_new_process(
    deploy_tiny: Deploy, surroundings: Surroundings, processes: ProcessGroup, empty_aws: LocalAws
) -> None:
    function = deploy_tiny("changed")
    watch = DeploymentWatch(empty_aws, function, mapping=str(uuid.uuid4()))  # it has none
    environment = ExecutionEnvironment("environment-1", watch.function, surroundings, processes, lambda _: None)
    watch.start(lambda: None, lambda: None)
    before = describe(environment)
    empty_aws.functions.update_function_configuration(
        FunctionName="changed", Environment={"Variables": {"COLOUR": "red"}}
    )
    until(lambda: watch.function() is not function, "the change is seen")
    after, again = describe(environment), describe(environment)
    environment.close()
    watch.end()
    assert [each["environment"]["COLOUR"] for each in (before, after)] == ["blue", "red"]
    assert before["pid"] != after["pid"] == again["pid"]


def test_the_context_holds_the_deadline_and_the_arn(deploy_tiny: Deploy, run: Any) -> None:
    function = deploy_tiny("context", timeout=7)
    with run(function) as environment:
        description = describe(environment)
    assert 5000 < description["deadline_in_ms"] <= 7000
    assert description["function_arn"] == function.arn


def test_an_exception_fails_the_invocation_and_keeps_the_process(deploy_tiny: Deploy, run: Any, logs: Logs) -> None:
    with run(deploy_tiny("raises")) as environment:
        before = describe(environment)["pid"]
        assert environment.invoke({"do": "raise"}) == Failed("ValueError", "told to")
        assert describe(environment)["pid"] == before
    assert [report["status"] for report in reports(logs)] == ["success", "error", "success"]


@pytest.mark.parametrize(("action", "how"), [("exit", "exit status 3"), ("die", "signal: killed")])
def test_a_crash_fails_the_invocation_and_the_next_one_gets_a_new_process(
    deploy_tiny: Deploy, run: Any, logs: Logs, action: str, how: str
) -> None:
    with run(deploy_tiny(f"crash-{action}")) as environment:
        before = describe(environment)["pid"]
        outcome = environment.invoke({"do": action})
        assert isinstance(outcome, Failed)
        assert outcome.error_type == "Runtime.ExitError"
        assert outcome.message.endswith(f"Runtime exited with error: {how}")
        assert describe(environment)["pid"] != before
    assert [report["status"] for report in reports(logs)] == ["success", "failure", "success"]


def test_a_kill_between_two_invocations_fails_neither(deploy_tiny: Deploy, run: Any) -> None:
    with run(deploy_tiny("killed-idle")) as environment:
        before = describe(environment)["pid"]
        environment.kill()
        assert describe(environment)["pid"] != before


def test_a_kill_during_an_invocation_fails_it(deploy_tiny: Deploy, run: Any, logs: Logs) -> None:
    with run(deploy_tiny("killed-busy")) as environment, ThreadPoolExecutor(1) as other_thread:
        invocation = other_thread.submit(environment.invoke, {"do": "hang"})
        until(lambda: LogLine("environment-1", "hanging") in logs, "it hangs")
        environment.kill()
        outcome = invocation.result()
    assert isinstance(outcome, Failed)
    assert outcome.message.endswith("signal: killed")


def test_the_process_is_killed_at_the_functions_timeout(deploy_tiny: Deploy, run: Any, logs: Logs) -> None:
    with run(deploy_tiny("timeout", timeout=1)) as environment:
        pid = describe(environment)["pid"]
        outcome = environment.invoke({"do": "hang"})
        assert isinstance(outcome, Failed)
        assert outcome.error_type == "Sandbox.Timedout"
        assert outcome.message.endswith("Task timed out after 1.00 seconds")
        assert not is_alive(pid)
        assert environment.invoke({"do": "answer", "value": 1}) == Returned("1")
    report = reports(logs)[1]
    assert report["status"] == "timeout"
    assert report["metrics"]["durationMs"] >= 1000


def test_a_failed_init_phase_fails_each_invocation(deploy_tiny: Deploy, run: Any) -> None:
    with run(deploy_tiny("no-init", handler="absent.handle")) as environment:
        for _ in range(2):
            outcome = environment.invoke({})
            assert isinstance(outcome, Failed)
            assert outcome.error_type == "Runtime.ImportModuleError"


def test_only_the_first_invocation_reports_and_is_billed_an_init_phase(
    deploy_tiny: Deploy, run: Any, logs: Logs
) -> None:
    with run(deploy_tiny("billing")) as environment:
        describe(environment)
        describe(environment)
    cold, warm = (report["metrics"] for report in reports(logs))
    assert cold["billedDurationMs"] >= cold["initDurationMs"] + cold["durationMs"]
    assert "initDurationMs" not in warm


def test_the_log_has_the_lines_of_both_streams_unchanged(deploy_tiny: Deploy, run: Any, logs: Logs) -> None:
    text = "one\r two  \x85 é\tend "
    with run(deploy_tiny("prints")) as environment:
        environment.invoke({"do": "print", "text": text})
    assert [log.line for log in logs if "platform.report" not in log.line] == [text, text]
    assert {log.environment for log in logs} == {"environment-1"}


def test_no_process_outlives_a_parent_that_is_killed(deploy_tiny: Deploy, surroundings: Surroundings) -> None:
    function = deploy_tiny("orphan", timeout=60)
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(ORPHANING), str(function.code), str(surroundings.runtime)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert parent.stdout is not None
    with parent.stdout as output:
        pids = [int(pid) for pid in output.readline().split()]
    assert [is_alive(pid) for pid in pids] == [True, True]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    until(lambda: not any(is_alive(pid) for pid in pids), "all processes are gone")


ORPHANING = """
    import json, pathlib, sys
    from local.function.deployed_function import DeployedFunction, DeploymentWatch
    from local.function.runtime_process import Surroundings
    from local.function.execution_environment import ExecutionEnvironment
    from local.processes import ProcessGroup

    arn = "arn:aws:lambda:eu-central-1:123456789012:function:orphan"
    code = pathlib.Path(sys.argv[1])
    function = DeployedFunction("orphan", arn, "tiny_function.handle", "python3.13", 60, 128, "Text", {}, code)
    with ProcessGroup() as processes:
        surroundings = Surroundings(pathlib.Path(sys.argv[2]), {}, "127.0.0.1:2")
        environment = ExecutionEnvironment("environment-1", lambda: function, surroundings, processes, lambda _: None)
        pid = json.loads(environment.invoke({"do": "describe"}).payload)["pid"]
        sleeper = processes.start(["sleep", "600"], env={}, cwd=code)
        print(pid, sleeper.pid, flush=True)
        environment.invoke({"do": "hang"})
"""
