"""All checks together: what one of them cannot learn hides no other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from courier.aws import Queues, StackOutputError
from courier.doctor import checks
from courier.doctor.checks import Examination, Finding, Level, bad, good, unknown
from courier.doctor.queries import Alarm, Clients, Quota
from courier.pause import PAUSED_AT, PAUSED_BY, SendingState
from local.aws import ROOT
from tests.fakes.sqs import FakeSqs
from tests.fakes.stubbed import stubbed

NOW = 1_800_000_000
CHECKS = [
    *("stack", "sending", "recipients", "attempts", "alarms", "subscriptions"),
    *("quota", "concurrency", "instance", "email"),
]
RATE = {"QuotaName": "Rate of StartOutboundEmailContact API requests", "Value": 5.0}
OUTPUTS = {"FunctionName": "reply-courier", "MappingId": "6c2bb9c5-0000-4000-8000-000000000001"}
ARN = "arn:aws:connect:eu-central-1:123456789012:instance/i-1"


def refused(error: Exception) -> Any:
    """Each of its operations fails so; so does what makes paginators."""

    class Refused:
        def __getattr__(self, name: str) -> Any:
            def operation(*_: Any, **__: Any) -> Any:
                raise error

            return operation

    return Refused()


def examined(functions: Any, other: Any, **more: Any) -> dict[str, Any]:
    account: Any = SimpleNamespace(
        stack="reply-courier",
        stack_status="CREATE_COMPLETE",
        session=SimpleNamespace(region_name="eu-central-1"),
        output=OUTPUTS.__getitem__,
        known_output={"SendRate": "2"}.get,
        queues=Queues("replies", "dead"),
        sqs=FakeSqs(tags={PAUSED_BY: "user/ada", PAUSED_AT: "then"}),
        functions=functions,
        cloudwatch=other,
        cloudformation=other,
    )
    clients = Clients(**{"sns": other, "quotas": other, "connect": other, **more})
    found = {finding.check: finding for finding in Examination(account, clients, NOW).findings()}
    assert list(found) == CHECKS
    return found


def denied(operation: str = "AnyOperation") -> ClientError:
    return ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, operation)


@pytest.mark.parametrize("error", [denied(), EndpointConnectionError(endpoint_url="x")])
def test_whatever_one_call_fails_with_every_other_check_is_made(error: Exception) -> None:
    found = examined(refused(error), refused(error))
    assert [name for name, finding in found.items() if finding.level == "good"] == ["stack"]
    assert all(found[name].advice for name in CHECKS if found[name].level == "unknown")


def test_an_old_stack_hides_no_other_check_either() -> None:
    found = examined(refused(StackOutputError("The stack has no output.", "Deploy it.")), refused(denied()))
    assert found["sending"] == unknown("sending", "The stack has no output.", "Deploy it.")
    assert found["stack"].level == "good"


def test_a_missing_permission_is_named() -> None:
    found = examined(refused(denied("GetEventSourceMapping")), refused(denied()))
    seen = "You are not allowed to lambda:GetEventSourceMapping in the Region eu-central-1."
    assert found["sending"].seen == seen
    assert "administrator" in (found["sending"].advice or "")


def test_lambda_is_asked_as_its_model_says() -> None:
    client, stub = stubbed("lambda")
    mapping = {"State": "Disabled", "ScalingConfig": {"MaximumConcurrency": 12}}
    by_name, by_id = {"FunctionName": OUTPUTS["FunctionName"]}, {"UUID": OUTPUTS["MappingId"]}
    configuration = {
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "Environment": {"Variables": {"CONNECT_INSTANCE_ARN": ARN}},
    }
    limit = {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}
    stub.add_response("get_event_source_mapping", mapping, by_id)
    stub.add_response("get_function_configuration", configuration, by_name)
    stub.add_response("get_event_source_mapping", mapping, by_id)
    stub.add_response("get_function_concurrency", {}, by_name)
    stub.add_response("get_account_settings", {"AccountLimit": limit}, {})
    found = examined(client, refused(denied()))
    assert found["sending"].seen == "paused by user/ada since then"
    assert found["recipients"].seen == "all are allowed"
    assert found["concurrency"].seen == "10 unreserved in the account, the mapping uses up to 12"
    stub.assert_no_pending_responses()


def test_the_default_quota_is_asked_for_where_the_account_has_none() -> None:
    client, stub = stubbed("service-quotas")
    asked = {"ServiceCode": "connect"}
    stub.add_response("list_service_quotas", {"Quotas": []}, asked)
    stub.add_response("list_aws_default_service_quotas", {"Quotas": [RATE]}, asked)
    found = examined(refused(denied()), refused(denied()), quotas=client)
    assert found["quota"].seen.startswith("AWS's default is 5 a second, sendRate is 2")
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(("code", "verdict"), [("ResourceNotFoundException", "bad"), ("404", "unknown")])
def test_only_connects_own_word_says_that_there_is_no_instance(code: str, verdict: str) -> None:
    functions, of_functions = stubbed("lambda")
    of_functions.add_client_error("get_event_source_mapping", "AccessDeniedException")
    configuration = {"Environment": {"Variables": {"CONNECT_INSTANCE_ARN": ARN}}}
    of_functions.add_response("get_function_configuration", configuration)
    of_functions.add_client_error("get_event_source_mapping", "AccessDeniedException")
    connect, of_connect = stubbed("connect")
    of_connect.add_client_error("describe_instance", code, expected_params={"InstanceId": "i-1"})
    of_connect.add_response("search_email_addresses", {"EmailAddresses": []})
    found = examined(functions, refused(denied()), connect=connect)
    assert found["instance"].level == verdict
    assert found["email"].level == "bad"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("CREATE_COMPLETE", "good"),
        ("UPDATE_COMPLETE", "good"),
        ("IMPORT_COMPLETE", "good"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "good"),
        ("UPDATE_IN_PROGRESS", "unknown"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "unknown"),
        ("UPDATE_ROLLBACK_COMPLETE", "bad"),
        ("UPDATE_ROLLBACK_FAILED", "bad"),
        ("ROLLBACK_COMPLETE", "bad"),
        ("DELETE_FAILED", "bad"),
    ],
)
def test_a_stacks_status_is_judged_and_told(status: str, verdict: str) -> None:
    found = checks.judge_stack(status)
    assert found.level == verdict
    assert status in found.seen


def test_a_pause_is_bad_and_says_who() -> None:
    found = checks.judge_sending(SendingState("Disabled", "user/ada", "2026-11-26T10:00:00.000+00:00"))
    assert found == bad("sending", "paused by user/ada since 2026-11-26T10:00:00.000+00:00", "courier resume")


@pytest.mark.parametrize(
    ("sending", "verdict", "told"),
    [
        (SendingState("Enabled"), "good", "enabled"),
        (SendingState("Disabled"), "bad", "not by courier"),
        (SendingState("Disabling"), "bad", "Disabling"),
        (SendingState("Enabled", "user/ada", "then"), "good", "enabled"),
        (SendingState("Enabled", result="OK"), "good", "last result: OK"),
        (SendingState("Enabled", result="PROBLEM: Function call failed"), "bad", "PROBLEM: Function call failed"),
        (SendingState("Enabling"), "unknown", "Enabling"),
        (SendingState("Updating"), "unknown", "Updating"),
    ],
)
def test_a_mapping_is_judged(sending: SendingState, verdict: str, told: str) -> None:
    found = checks.judge_sending(sending)
    assert found.level == verdict
    assert told in found.seen


@pytest.mark.parametrize(
    ("sent", "not_now", "verdict", "seen", "advice"),
    [
        (0, {}, "good", "0 sent in the last 15 minutes", None),
        (7, {"AccessDenied": 0}, "good", "7 sent in the last 15 minutes", None),
        (
            7,
            {"AccessDenied": 1, "AttemptsThrottled": 2},
            "bad",
            "7 sent in the last 15 minutes, failed attempts: 2 Throttled, 1 AccessDenied",
            "docs/runbook.md, AccessDenied",
        ),
        (7, {"AttemptsThrottled": 2}, "good", "7 sent in the last 15 minutes, failed attempts: 2 Throttled", None),
        (
            0,
            {"AttemptsThrottled": 2, "ConnectTimedOut": 1_000},
            "bad",
            "0 sent in the last 15 minutes, failed attempts: 1,000 ConnectTimedOut, 2 Throttled",
            "docs/runbook.md, ConnectTimedOut",
        ),
    ],
)
def test_attempts_are_bad_if_all_of_them_fail(
    sent: float, not_now: dict[str, float], verdict: str, seen: str, advice: str | None
) -> None:
    found = checks.judge_attempts(sent, not_now)
    assert (found.level, found.seen, found.advice) == (verdict, seen, advice)


@pytest.mark.parametrize("section", checks.RETRY_METRICS.values())
def test_each_cause_has_a_section_of_the_runbook(section: str) -> None:
    assert f"\n### {section}\n" in (ROOT / "docs" / "runbook.md").read_text()


@pytest.mark.parametrize(("allowed", "seen"), [("", "all are allowed"), ("*@example.com", "only *@example.com")])
def test_it_is_said_to_whom_the_function_sends(allowed: str, seen: str) -> None:
    assert checks.judge_recipients(allowed).seen == seen


def test_an_instance_is_judged() -> None:
    assert checks.judge_instance("ACTIVE") == good("instance", "ACTIVE")
    assert checks.judge_instance("CREATION_IN_PROGRESS").level is Level.UNKNOWN
    assert checks.judge_instance("CREATION_FAILED").level is Level.BAD
    assert checks.judge_instance(None).level is Level.BAD


def test_an_instance_without_email_is_bad() -> None:
    assert checks.judge_email_addresses(0).level is Level.BAD
    assert checks.judge_email_addresses(1).seen == "the instance has 1 email address"
    assert checks.judge_email_addresses(20).seen == "the instance has 20 email addresses"


def test_only_what_is_good_needs_no_advice() -> None:
    assert good("c", "s") == Finding("c", Level.GOOD, "s", None)
    assert unknown("c", "s", "a").to_json() == {"check": "c", "verdict": "unknown", "seen": "s", "next": "a"}


@pytest.mark.parametrize(
    ("quota", "rate", "verdict", "seen"),
    [
        (Quota("Rate", 2), 2, "good", "the account has 2 a second, sendRate is 2"),
        (Quota("Rate", 2), 5, "bad", "the account has 2 a second, sendRate is 5"),
        (Quota("Rate", 120, 60), 2, "good", "the account has 2 a second, sendRate is 2"),
        (Quota("Rate", 60, 60), 2, "bad", "the account has 1 a second, sendRate is 2"),
        (Quota("Rate", 2, is_default=True), 2, "unknown", "AWS's default is 2 a second"),
        (Quota("Rate", 2, is_default=True), 5, "bad", "AWS's default is 2 a second, sendRate is 5"),
        (Quota("Rate", 2), None, "unknown", "does not name its sendRate"),
        (None, 2, "unknown", "does not list one for StartOutboundEmailContact"),
    ],
)
def test_a_quota_is_held_against_the_rate(quota: Quota | None, rate: float | None, verdict: str, seen: str) -> None:
    found = checks.judge_quota(quota, rate)
    assert found.level == verdict
    assert seen in found.seen


@pytest.mark.parametrize(
    ("name", "is_it"),
    [
        ("Rate of StartOutboundEmailContact API requests", True),
        ("Rate of Start Outbound Email Contact API requests", True),
        ("Burst of StartOutboundEmailContact API requests", False),
        ("Rate of StartOutboundVoiceContact API requests", False),
    ],
)
def test_the_quota_is_found_by_its_name(name: str, is_it: bool) -> None:
    assert Quota(name, 2).is_send_rate is is_it


@pytest.mark.parametrize(
    ("most", "unreserved", "reserved", "verdict"),
    [
        (2, 10, None, "good"),
        (12, 10, None, "bad"),
        (2, 10, 2, "good"),
        (2, 10, 1, "bad"),
        (2, 10, 0, "bad"),
        (2, 0, 5, "good"),
        (None, 10, None, "unknown"),
    ],
)
def test_concurrency_is_what_is_reserved_or_else_left(
    most: int | None, unreserved: int, reserved: int | None, verdict: str
) -> None:
    assert checks.judge_concurrency(most, unreserved, reserved).level == verdict


def alarm(name: str, state: str = "OK", *, actions_enabled: bool = True) -> Alarm:
    return Alarm(f"reply-courier-Alarms{name}1A2B3C", f"Something is wrong. Runbook: {name}.", state, actions_enabled)


def judged(*alarms: Alarm, of_the_stack: int | None = None) -> list[tuple[str, str]]:
    found = checks.judge_alarms(len(alarms) if of_the_stack is None else of_the_stack, alarms)
    return [(finding.level.value, finding.seen) for finding in found]


def test_alarms_that_are_ok_are_one_line() -> None:
    assert judged(alarm("A"), alarm("B")) == [("good", "all 2 are OK")]


def test_each_alarm_that_has_gone_off_is_named_with_its_section_of_the_runbook() -> None:
    found = checks.judge_alarms(3, [alarm("A", "ALARM"), alarm("B"), alarm("C", "ALARM")])
    assert [(finding.level, finding.seen, finding.advice) for finding in found] == [
        ("bad", "A is in ALARM", "docs/runbook.md, A"),
        ("bad", "C is in ALARM", "docs/runbook.md, C"),
    ]


def test_alarms_without_data_are_unknown() -> None:
    assert judged(alarm("A"), alarm("B", "INSUFFICIENT_DATA")) == [
        ("unknown", "INSUFFICIENT_DATA, new or without data: B")
    ]


def test_alarms_that_tell_nobody_or_are_gone_are_bad() -> None:
    assert judged(alarm("A", actions_enabled=False), of_the_stack=2) == [
        ("bad", "1 of 2 do not exist: deleted by hand"),
        ("bad", "notify nobody, because their actions are off: A"),
    ]


def test_a_stack_without_alarms_is_unknown() -> None:
    assert judged() == [("unknown", "the stack has no alarms")]


def test_an_alarm_that_names_no_section_is_told_by_its_own_name() -> None:
    assert Alarm("mine", "", "OK").runbook_section == "mine"


@pytest.mark.parametrize(
    ("topics", "arns", "verdict", "seen"),
    [
        (1, ["arn:1", "arn:2"], "good", "2 confirmed"),
        (1, ["arn:1", "Deleted"], "good", "1 confirmed"),
        (1, ["arn:1", "PendingConfirmation"], "bad", "1 of 2 not confirmed: nobody is notified there"),
        (1, ["Deleted"], "bad", "nobody has subscribed to the alarms"),
        (1, [], "bad", "nobody has subscribed to the alarms"),
        (0, [], "unknown", "the alarms name no topic"),
    ],
)
def test_subscriptions_are_judged(topics: int, arns: list[str], verdict: str, seen: str) -> None:
    found = checks.judge_subscriptions(topics, arns)
    assert (found.level, found.seen) == (verdict, seen)
