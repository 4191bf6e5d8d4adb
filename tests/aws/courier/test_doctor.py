"""`courier doctor` against moto and the emulated Connect: what it sees, and what it exits with."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from local.connect.control_client import ConnectControl
from local.processes import ProcessGroup
from local.system import start_connect
from tests.operators import lines
from tests.samples import ADDRESS, INSTANCE_ARN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.operators import Operator

CHECKS = [
    *("stack", "sending", "recipients", "attempts", "alarms", "subscriptions"),
    *("quota", "concurrency", "instance", "email"),
]


@pytest.fixture
def operator(operator: Operator, connect: ConnectControl) -> Operator:
    """An operator whose Connect is the emulated one."""
    operator.environment["AWS_ENDPOINT_URL_CONNECT"] = connect.url
    return operator


def examined(operator: Operator) -> dict[str, Any]:
    """The findings by their checks; local AWS lacks some, so that the exit code is 1."""
    run = operator.courier("doctor", "--json")
    assert (run.returncode, run.stderr) == (1, "")
    findings = list(lines(run.stdout))
    assert [finding["check"] for finding in findings] == CHECKS
    assert all((finding["next"] is None) == (finding["verdict"] == "good") for finding in findings)
    return {finding["check"]: finding for finding in findings}


def of_the_stack(operator: Operator, kind: str) -> str:
    """The physical id of the stack's only resource of a kind."""
    listed = operator.aws.stacks.list_stack_resources(StackName=operator.stack)["StackResourceSummaries"]
    (name,) = (resource["PhysicalResourceId"] for resource in listed if resource["ResourceType"] == kind)
    return name


def test_a_new_stack_on_local_aws(operator: Operator) -> None:
    found = examined(operator)
    assert {name: finding["verdict"] for name, finding in found.items()} == {
        "stack": "good",
        "sending": "good",
        "recipients": "good",
        "attempts": "good",
        "alarms": "unknown",  # INSUFFICIENT_DATA, as every alarm begins
        "subscriptions": "bad",  # nobody has confirmed
        "quota": "unknown",  # moto does not have it
        "concurrency": "unknown",  # moto does not have it
        "instance": "good",
        "email": "good",
    }
    assert "DeadLettersWaiting" in found["alarms"]["seen"]
    assert found["concurrency"]["seen"] == "The server at this address does not know GetAccountSettings (404)."


def test_if_every_attempt_fails_the_causes_are_named(operator: Operator) -> None:
    def count(metric: str, value: float) -> None:
        operator.aws.cloudwatch.put_metric_data(
            Namespace="ReplyCourier",
            MetricData=[
                {
                    "MetricName": metric,
                    "Dimensions": [{"Name": "service", "Value": operator.stack}],
                    "Timestamp": datetime.now(UTC) - timedelta(minutes=2),
                    "Value": value,
                }
            ],
        )

    count("AccessDenied", 5)
    count("AttemptsThrottled", 1)
    found = examined(operator)["attempts"]
    assert found["seen"] == "0 sent in the last 15 minutes, failed attempts: 5 AccessDenied, 1 Throttled"
    assert (found["verdict"], found["next"]) == ("bad", "docs/runbook.md, AccessDenied")
    count("RepliesSent", 40)
    assert examined(operator)["attempts"]["seen"].startswith("40 sent in the last 15 minutes")


def test_a_pause_is_bad_and_says_by_whom(operator: Operator) -> None:
    operator.did("pause")
    found = examined(operator)["sending"]
    assert (found["verdict"], found["next"]) == ("bad", "courier resume")
    assert "paused by " in found["seen"]


def test_an_alarm_that_goes_off_is_bad_by_its_name_in_the_runbook(operator: Operator) -> None:
    name = of_the_stack(operator, "AWS::CloudWatch::Alarm")
    operator.aws.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    found = examined(operator)["alarms"]
    assert (found["seen"], found["next"]) == (
        "DeadLettersWaiting is in ALARM",
        "docs/runbook.md, DeadLettersWaiting",
    )
    operator.aws.cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test")
    assert examined(operator)["alarms"]["verdict"] == "good"
    operator.aws.cloudwatch.delete_alarms(AlarmNames=[name])
    assert examined(operator)["alarms"]["seen"] == "1 of 1 do not exist: deleted by hand"


def test_an_instance_without_an_address_and_one_that_is_gone(operator: Operator, connect: ConnectControl) -> None:
    connect.settings(email_addresses=[])
    assert examined(operator)["email"]["verdict"] == "bad"
    connect.settings(email_addresses=[f"{n}@bicycles.example" for n in range(101)])
    assert examined(operator)["email"]["seen"] == "the instance has 101 email addresses"
    connect.settings(instance_id="another")
    found = examined(operator)
    assert (found["instance"]["verdict"], found["email"]["verdict"]) == ("bad", "unknown")


def test_off_a_terminal_each_finding_is_a_line_with_its_advice(operator: Operator) -> None:
    operator.did("pause")
    told = operator.courier("doctor").stdout.splitlines()
    assert [line[8:22].rstrip() for line in told] == CHECKS
    assert told[0] == "good    stack         CREATE_COMPLETE"
    assert told[1].startswith("bad     sending       paused by ")
    assert told[1].endswith(" | courier resume")


def test_no_stack_is_no_finding(operator: Operator) -> None:
    operator.environment["COURIER_STACK"] = "another"
    run = operator.courier("doctor")
    assert (run.returncode, run.stdout) == (2, "")
    assert "There is no stack another" in run.stderr


def test_queues_without_a_stack_are_wrong_usage(operator: Operator) -> None:
    urls = ("--queue-url", operator.queue_url, "--dead-letter-queue-url", operator.dead_letter_queue_url)
    assert operator.courier(*urls, "doctor").returncode == 2


# The send test


def sent(operator: Operator, file: Path, contact: str = "contact-1") -> Any:
    """Send the test, and return what the file has of it."""
    operator.courier("doctor", "--send-test", contact, ADDRESS, "--yes", "--to", str(file))
    return json.loads(file.read_text())


def proofs(kept: Any) -> list[str]:
    return [conclusion["proof"] for conclusion in kept["conclusions"]]


@pytest.mark.parametrize(
    ("settings", "proved"),
    [
        ({}, ["proved", "proved", "disproved", "proved"]),
        ({"refusals": "remember"}, ["disproved", "proved", "disproved", "proved"]),
        ({"repeat": "conflict"}, ["proved", "proved", "disproved", "proved"]),
        ({"used_draft": "send"}, ["proved", "proved", "proved", "proved"]),
        ({"unknown_sender": "send"}, ["open", "proved", "disproved", "proved"]),
        (
            {
                "answers": {
                    "wrong_contact": {"status": 400, "error": "InvalidRequestException", "message": "No contact"}
                }
            },
            ["proved", "proved", "disproved", "disproved"],
        ),
    ],
)
def test_local_aws_answers_as_the_file_of_another_connect_says(
    operator: Operator, connect: ConnectControl, tmp_path: Path, settings: dict[str, Any], proved: list[str]
) -> None:
    connect.settings(**settings)
    kept = sent(operator, tmp_path / "kept.json")
    assert proofs(kept) == proved
    with ProcessGroup() as processes:
        url = start_connect(processes, tmp_path, tmp_path / "kept.json")
        ConnectControl(url).draft("contact-1")
        operator.environment["AWS_ENDPOINT_URL_CONNECT"] = url
        again = sent(operator, tmp_path / "again.json")
    assert again["answers"] == kept["answers"]
    assert again["conclusions"] == kept["conclusions"]


def test_one_email_is_sent_and_nothing_personal_is_kept_or_said(
    operator: Operator, connect: ConnectControl, tmp_path: Path
) -> None:
    file = tmp_path / "kept.json"
    run = operator.courier("doctor", "--send-test", "contact-1", ADDRESS, "--yes", "--to", str(file))
    assert run.returncode == 0
    (email,) = connect.sent
    assert email["request"]["DestinationEmailAddress"] == {"EmailAddress": ADDRESS}
    assert email["request"]["InstanceId"] == INSTANCE_ARN.rpartition("/")[2]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for said in (run.stdout, run.stderr, file.read_text()):
        assert ADDRESS not in said
        assert "contact-1" not in said
        assert all(call["client_token"] not in said for call in connect.calls)
    assert 'docs/design.md, "An edit keeps the token, too: a refused token is unused"' in run.stdout
    assert f"make local ANSWERS={file}" in run.stderr


def test_a_spent_contact_settles_nothing_of_tokens(operator: Operator, connect: ConnectControl, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    run = operator.courier("doctor", "--send-test", "nobodys", ADDRESS, "--yes", "--to", str(file), "--json")
    assert run.returncode == 1
    (told,) = lines(run.stdout)
    assert told == json.loads(file.read_text())
    assert proofs(told) == ["open", "open", "open", "proved"]
    assert connect.sent == []


def test_nothing_is_sent_without_a_yes_or_over_a_file_that_is_there(
    operator: Operator, connect: ConnectControl, tmp_path: Path
) -> None:
    file = tmp_path / "kept.json"
    test = ("doctor", "--send-test", "contact-1", ADDRESS, "--to", str(file))
    assert operator.courier(*test).returncode == 1
    assert operator.courier(*test, stdin="n\n").returncode == 1
    assert not file.exists()
    file.write_text("mine")
    assert operator.courier(*test, "--yes").returncode == 2
    assert file.read_text() == "mine"
    assert connect.calls == []


@pytest.mark.parametrize(
    "test",
    [
        ("--send-test", "contact-1", "no address"),
        ("--send-test", "", ADDRESS),
        ("--send-test", "contact-1"),
        ("--to", "x"),
    ],
)
def test_what_the_contract_does_not_take_is_wrong_usage(
    operator: Operator, connect: ConnectControl, test: tuple[str, ...]
) -> None:
    run = operator.courier("doctor", *test, "--yes")
    assert run.returncode == 2
    assert "no address" not in run.stderr
    assert connect.calls == []


def test_who_may_not_send_is_told_the_permission(operator: Operator, connect: ConnectControl, tmp_path: Path) -> None:
    connect.fail("access_denied")
    run = operator.courier("doctor", "--send-test", "contact-1", ADDRESS, "--yes", "--to", str(tmp_path / "f"))
    assert run.returncode == 2
    assert "connect:StartOutboundEmailContact" in run.stderr
    assert not (tmp_path / "f").exists()
