"""All checks together: what one of them cannot learn hides no other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from courier.aws import NotOurStackError, Queues
from courier.doctor import checks
from courier.doctor.checks import Examination, Finding, Level, bad, good, unknown
from courier.doctor.queries import Alarm, Clients, Quota
from courier.pause import PAUSED_AT, PAUSED_BY, Sending
from local.aws import ROOT
from tests.fakes.sqs import letters
from tests.fakes.stubbed import stubbed

NOW = 1_800_000_000
CHECKS = [
    *("stack", "sending", "function", "recipients", "errors", "tries", "alarms", "subscriptions"),
    *("replies", "dead letters", "quota", "concurrency", "instance", "email"),
]
RATE = {"QuotaName": "Rate of StartOutboundEmailContact API requests", "Value": 5.0}
OUTPUTS = {"FunctionName": "reply-courier", "MappingId": "6c2bb9c5-0000-4000-8000-000000000001"}
ARN = "arn:aws:connect:eu-central-1:123456789012:instance/i-1"


def explain(error: Exception) -> str:
    operation = getattr(error, "operation_name", type(error).__name__)
    return f"You are not allowed to {operation}. Have your administrator allow it."


def refused(error: Exception) -> Any:
    """Each of its operations fails so; so does what makes paginators."""

    class Refused:
        def __getattr__(self, name: str) -> Any:
            def operation(*_: Any, **__: Any) -> Any:
                raise error

            return operation

    return Refused()


def examined(functions: Any, other: Any, **more: Any) -> dict[str, Any]:
    sqs = letters(3)
    tags = {PAUSED_BY: "user/ada", PAUSED_AT: "then"}
    account: Any = SimpleNamespace(
        stack="reply-courier",
        stack_status="CREATE_COMPLETE",
        output=OUTPUTS.__getitem__,
        known_output={"SendRate": "2"}.get,
        log_group="/aws/lambda/f",
        queues=Queues("replies", "dead"),
        sqs=SimpleNamespace(
            **{
                name: getattr(sqs, name)
                for name in ("receive_message", "get_queue_attributes", "change_message_visibility_batch")
            },
            list_queue_tags=lambda **_: {"Tags": tags},
        ),
        functions=functions,
        cloudwatch=other,
        cloudformation=other,
    )
    clients = Clients(**{"sns": other, "quotas": other, "connect": other, **more})
    found = {finding.check: finding for finding in Examination(account, clients, NOW, explain).findings()}
    assert list(found) == CHECKS
    return found


def denied(operation: str = "AnyOperation") -> ClientError:
    return ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, operation)


@pytest.mark.parametrize("error", [denied(), EndpointConnectionError(endpoint_url="x")])
def test_whatever_one_call_fails_with_every_other_check_is_made(error: Exception) -> None:
    found = examined(refused(error), refused(error))
    assert {name for name, finding in found.items() if finding.level == "good"} == {
        "stack",
        "replies",
        "dead letters",
    }
    assert all(found[name].advice for name in CHECKS if found[name].level == "unknown")


def test_an_old_stack_hides_no_other_check_either() -> None:
    found = examined(refused(NotOurStackError("The stack has no output: deploy it.")), refused(denied()))
    assert (found["sending"].level, found["sending"].seen) == ("unknown", "The stack has no output")
    assert found["dead letters"].level == "good"


def test_a_missing_permission_is_named() -> None:
    found = examined(refused(denied("GetEventSourceMapping")), refused(denied()))
    assert found["sending"].seen == "You are not allowed to GetEventSourceMapping"
    assert found["sending"].advice == "Have your administrator allow it."


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
    assert found["function"].level == "good"
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
    found = checks.stack(status)
    assert found.level == verdict
    assert status in found.seen


def test_a_pause_is_bad_and_says_who() -> None:
    found = checks.sending(Sending("Disabled", "user/ada", "2026-11-26T10:00:00.000+00:00"))
    assert found == bad("sending", "paused by user/ada since 2026-11-26T10:00:00.000+00:00", "courier resume")


@pytest.mark.parametrize(
    ("sending", "verdict", "told"),
    [
        (Sending("Enabled"), "good", "enabled"),
        (Sending("Disabled"), "bad", "not by courier"),
        (Sending("Disabling"), "bad", "Disabling"),
        (Sending("Enabled", "user/ada", "then"), "bad", "switched on since"),
        (Sending("Enabling"), "unknown", "Enabling"),
        (Sending("Updating"), "unknown", "Updating"),
    ],
)
def test_a_mapping_is_judged(sending: Sending, verdict: str, told: str) -> None:
    found = checks.sending(sending)
    assert found.level == verdict
    assert told in found.seen


@pytest.mark.parametrize(
    ("state", "update", "verdict"),
    [
        ("Active", "Successful", "good"),
        ("Inactive", "Successful", "good"),  # Lambda puts away what has been idle for weeks, and fetches it again
        ("Pending", "Successful", "unknown"),
        ("Active", "InProgress", "unknown"),
        ("Failed", "Successful", "bad"),
        ("Active", "Failed", "bad"),
        (None, None, "unknown"),
    ],
)
def test_a_function_is_judged(state: str | None, update: str | None, verdict: str) -> None:
    assert checks.function(state, update).level == verdict


@pytest.mark.parametrize(
    ("invocations", "errors", "verdict", "seen"),
    [
        (None, None, "unknown", "no invocation"),
        (1200, 0, "good", "0 of 1,200"),
        (1200, None, "good", "0 of 1,200"),
        (1200, 3, "bad", "3 of 1,200"),
    ],
)
def test_errors_are_counted(invocations: float | None, errors: float | None, verdict: str, seen: str) -> None:
    found = checks.function_errors(invocations, errors, "/aws/lambda/f")
    assert found.level == verdict
    assert seen in found.seen


@pytest.mark.parametrize(
    ("sent", "not_now", "verdict", "seen", "advice"),
    [
        (0, {}, "good", "0 sent in the last 15 minutes", None),
        (7, {"RepliesDenied": 0}, "good", "7 sent in the last 15 minutes", None),
        (
            7,
            {"RepliesDenied": 1, "RepliesThrottled": 2},
            "bad",
            "7 sent in the last 15 minutes, tries in vain: 2 Throttled, 1 AccessDenied",
            "docs/runbook.md, AccessDenied",
        ),
        (7, {"RepliesThrottled": 2}, "good", "7 sent in the last 15 minutes, tries in vain: 2 Throttled", None),
        (
            0,
            {"RepliesThrottled": 2, "RepliesTimedOut": 1_000},
            "bad",
            "0 sent in the last 15 minutes, tries in vain: 1,000 ConnectTimesOut, 2 Throttled",
            "docs/runbook.md, ConnectTimesOut",
        ),
    ],
)
def test_tries_are_bad_where_all_are_in_vain(
    sent: float, not_now: dict[str, float], verdict: str, seen: str, advice: str | None
) -> None:
    found = checks.tries(sent, not_now)
    assert (found.level, found.seen, found.advice) == (verdict, seen, advice)


@pytest.mark.parametrize("section", checks.NOT_NOW.values())
def test_each_cause_has_a_section_of_the_runbook(section: str) -> None:
    assert f"\n### {section}\n" in (ROOT / "docs" / "runbook.md").read_text()


@pytest.mark.parametrize(("allowed", "seen"), [("", "all are allowed"), ("*@example.com", "only *@example.com")])
def test_it_is_said_to_whom_the_function_sends(allowed: str, seen: str) -> None:
    assert checks.recipients(allowed).seen == seen


def test_an_instance_is_judged() -> None:
    assert checks.instance("ACTIVE") == good("instance", "ACTIVE")
    assert checks.instance("CREATION_IN_PROGRESS").level is Level.UNKNOWN
    assert checks.instance("CREATION_FAILED").level is Level.BAD
    assert checks.instance(None).level is Level.BAD


def test_an_instance_without_email_is_bad() -> None:
    assert checks.judge_email_addresses(0).level is Level.BAD
    assert checks.judge_email_addresses(1).seen == "the instance has 1 email address"
    assert checks.judge_email_addresses(20).seen == "the instance has 20 email addresses"


def test_only_what_is_good_needs_no_advice() -> None:
    assert good("c", "s") == Finding("c", Level.GOOD, "s", None)
    assert unknown("c", "s", "a").to_json() == {"check": "c", "verdict": "unknown", "seen": "s", "next": "a"}


HOUR = 3_600.0


@pytest.mark.parametrize(
    ("waiting", "oldest", "drain_seconds", "verdict", "seen"),
    [
        (0, None, 0.0, "good", "none waits"),
        (1, 60.0, 0.5, "good", "1 waits, the oldest for 1m"),
        (5, 12.5 * HOUR, 2.5, "bad", "5 wait, the oldest for 12h; drafts expire"),
        (100_000, 60.0, 50_000.0, "bad", "gone in about 13h"),
        (5, 60.0, None, "good", "the oldest for 1m"),  # paused: nobody knows when they are gone
        (5, None, 2.5, "unknown", "CloudWatch has no age yet"),
    ],
)
def test_replies_are_held_against_the_life_of_drafts(
    waiting: int, oldest: float | None, drain_seconds: float | None, verdict: str, seen: str
) -> None:
    found = checks.replies(waiting, oldest, drain_seconds, None)
    assert found.level == verdict
    assert seen in found.seen


def test_why_an_age_is_not_known_is_told() -> None:
    assert "cloudwatch:Get" in checks.replies(1, None, None, "cloudwatch:GetMetricStatistics failed").seen


def test_letters_near_their_end_are_bad_each_kind_with_its_command() -> None:
    found = checks.dead_letters(9, 2, 3, not_seen=False)
    assert [(finding.level, finding.advice) for finding in found] == [
        ("bad", "courier dlq renew"),
        ("bad", "mend and replay them: courier dlq list --older-than 5d"),
    ]


def test_letters_that_could_not_be_read_are_unknown() -> None:
    (found,) = checks.dead_letters(9, 0, 0, not_seen=True)
    assert found.level == "unknown"


@pytest.mark.parametrize(("count", "seen"), [(0, "none"), (7, "7 on the queue, none near its end: courier dlq groups")])
def test_letters_with_time_left_are_good(count: int, seen: str) -> None:
    (found,) = checks.dead_letters(count, 0, 0, not_seen=False)
    assert (found.level, found.seen) == ("good", seen)


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
    found = checks.quota(quota, rate)
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
    assert Quota(name, 2).is_the_rate is is_it


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
    assert checks.concurrency(most, unreserved, reserved).level == verdict


def alarm(name: str, state: str = "OK", *, tells: bool = True) -> Alarm:
    return Alarm(f"reply-courier-Alarms{name}1A2B3C", f"Something is wrong. Runbook: {name}.", state, tells)


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
        ("unknown", "INSUFFICIENT_DATA, just begun or without data: B")
    ]


def test_alarms_that_tell_nobody_or_are_gone_are_bad() -> None:
    assert judged(alarm("A", tells=False), of_the_stack=2) == [
        ("bad", "1 of 2 are gone: deleted by hand"),
        ("bad", "tell nobody, since their actions are off: A"),
    ]


def test_a_stack_without_alarms_is_unknown() -> None:
    assert judged() == [("unknown", "the stack has no alarms")]


def test_an_alarm_that_names_no_section_is_told_by_its_own_name() -> None:
    assert Alarm("mine", "", "OK").in_the_runbook == "mine"


@pytest.mark.parametrize(
    ("topics", "arns", "verdict", "seen"),
    [
        (1, ["arn:1", "arn:2"], "good", "2 confirmed"),
        (1, ["arn:1", "Deleted"], "good", "1 confirmed"),
        (1, ["arn:1", "PendingConfirmation"], "bad", "1 of 2 not confirmed: nobody is told there"),
        (1, ["Deleted"], "bad", "nobody has subscribed to the alarms"),
        (1, [], "bad", "nobody has subscribed to the alarms"),
        (0, [], "unknown", "the alarms name no topic"),
    ],
)
def test_subscriptions_are_judged(topics: int, arns: list[str], verdict: str, seen: str) -> None:
    found = checks.subscriptions(topics, arns)
    assert (found.level, found.seen) == (verdict, seen)
