"""All checks together: what one of them cannot learn hides no other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from courier.aws import NotOurStackError, Queues
from courier.doctor.clients import Clients
from courier.doctor.examination import Examination
from courier.mapping import PAUSED_AT, PAUSED_BY
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
    assert {name for name, finding in found.items() if finding.verdict == "good"} == {
        "stack",
        "replies",
        "dead letters",
    }
    assert all(found[name].advice for name in CHECKS if found[name].verdict == "unknown")


def test_an_old_stack_hides_no_other_check_either() -> None:
    found = examined(refused(NotOurStackError("The stack has no output: deploy it.")), refused(denied()))
    assert (found["sending"].verdict, found["sending"].seen) == ("unknown", "The stack has no output")
    assert found["dead letters"].verdict == "good"


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
    assert found["function"].verdict == "good"
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
    assert found["instance"].verdict == verdict
    assert found["email"].verdict == "bad"
