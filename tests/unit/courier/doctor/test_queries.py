"""What AWS is asked, checked against botocore's models: moto lacks some of these calls."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from courier.aws import StackOutputError
from courier.doctor import queries
from courier.doctor.queries import Alarm, Quota
from tests.fakes.stubbed import stubbed

NOW = 1_800_000_000
TOPIC = "arn:aws:sns:eu-central-1:123456789012:alarms"


def account(**clients: Any) -> Any:
    return SimpleNamespace(stack="reply-courier", output=lambda name: name, **clients)


def test_the_stacks_resources_are_read_to_the_last_page() -> None:
    client, stub = stubbed("cloudformation")

    def page(name: str, **more: Any) -> Any:
        resource = {
            "LogicalResourceId": name,
            "ResourceType": "AWS::CloudWatch::Alarm",
            "LastUpdatedTimestamp": datetime.now(UTC),
            "ResourceStatus": "CREATE_COMPLETE",
        }
        return {"StackResourceSummaries": [{**resource, "PhysicalResourceId": name}, resource], **more}

    stub.add_response("list_stack_resources", page("a", NextToken="2"), {"StackName": "reply-courier"})
    stub.add_response("list_stack_resources", page("b"), {"StackName": "reply-courier", "NextToken": "2"})
    found = queries.stack_resources(account(cloudformation=client))
    assert found == [("a", "AWS::CloudWatch::Alarm"), ("b", "AWS::CloudWatch::Alarm")]
    assert queries.ids_of_type(found, "AWS::SNS::Topic") == []


def test_alarms_are_asked_for_by_a_hundred_names() -> None:
    client, stub = stubbed("cloudwatch")
    names = [f"alarm-{n}" for n in range(101)]
    for some in (names[:100], names[100:]):
        alarms = [
            {
                "AlarmName": name,
                "AlarmDescription": "d",
                "StateValue": "ALARM",
                "ActionsEnabled": False,
                "AlarmActions": [TOPIC],
            }
            for name in some
        ]
        stub.add_response("describe_alarms", {"MetricAlarms": alarms}, {"AlarmNames": some, "MaxRecords": 100})
    found = queries.describe_alarms(account(cloudwatch=client), names)
    assert [alarm.name for alarm in found] == names
    assert found[0] == Alarm("alarm-0", "d", "ALARM", actions_enabled=False, actions=[TOPIC])


def test_subscriptions_are_read_to_the_last_page() -> None:
    client, stub = stubbed("sns")
    for page, following in (("PendingConfirmation", "2"), (f"{TOPIC}:1", "")):
        answer = {"Subscriptions": [{"SubscriptionArn": page}], **({"NextToken": following} if following else {})}
        token = {} if following else {"NextToken": "2"}
        stub.add_response("list_subscriptions_by_topic", answer, {"TopicArn": TOPIC, **token})
    assert queries.subscription_arns(client, [TOPIC]) == ["PendingConfirmation", f"{TOPIC}:1"]


@pytest.mark.parametrize(("sums", "total"), [([], 0), ([0.0], 0), ([1.0, 2.0], 3)])
def test_a_metric_of_the_function_is_summed(sums: list[float], total: float) -> None:
    client, stub = stubbed("cloudwatch")
    points = [{"Sum": each} for each in sums]
    asked = {
        "Namespace": "ReplyCourier",
        "MetricName": "RepliesSent",
        "Dimensions": [{"Name": "service", "Value": "reply-courier"}],
        "StartTime": datetime.fromtimestamp(NOW - 900, UTC),
        "EndTime": datetime.fromtimestamp(NOW, UTC),
        "Period": 60,
        "Statistics": ["Sum"],
    }
    stub.add_response("get_metric_statistics", {"Datapoints": points}, asked)
    assert queries.sum_of_metric(account(cloudwatch=client), "RepliesSent", NOW, 15) == total


VOICE = {"QuotaName": "Rate of StartOutboundVoiceContact API requests", "Value": 2.0}
BURST = {"QuotaName": "Burst of StartOutboundEmailContact API requests", "Value": 5.0}
RATE = {"QuotaName": "Rate of StartOutboundEmailContact API requests", "Value": 2.0}


@pytest.mark.parametrize("is_default", [False, True])
def test_the_quota_is_looked_for_on_all_pages(is_default: bool) -> None:
    client, stub = stubbed("service-quotas")
    operation = "list_aws_default_service_quotas" if is_default else "list_service_quotas"
    minute = {"PeriodValue": 1, "PeriodUnit": "MINUTE"}
    asked = {"ServiceCode": "connect"}
    stub.add_response(operation, {"Quotas": [VOICE, BURST], "NextToken": "2"}, asked)
    stub.add_response(operation, {"Quotas": [{**RATE, "Period": minute}]}, {**asked, "NextToken": "2"})
    assert queries.send_quota(client, is_default=is_default) == Quota(str(RATE["QuotaName"]), 2.0, 60, is_default)


def test_a_quota_that_is_not_listed_is_none() -> None:
    client, stub = stubbed("service-quotas")
    stub.add_response("list_service_quotas", {"Quotas": [VOICE, BURST]}, {"ServiceCode": "connect"})
    assert queries.send_quota(client, is_default=False) is None


def test_email_addresses_are_counted_to_the_last_page() -> None:
    client, stub = stubbed("connect")
    asked = {"InstanceId": "instance-1", "MaxResults": 100}
    stub.add_response("search_email_addresses", {"EmailAddresses": [{}] * 100, "NextToken": "2"}, asked)
    stub.add_response("search_email_addresses", {"EmailAddresses": [{}]}, {**asked, "NextToken": "2"})
    assert queries.count_email_addresses(client, "instance-1") == 101


def test_the_function_names_the_instance() -> None:
    arn = "arn:aws:connect:eu-central-1:123456789012:instance/i-1"
    assert queries.instance_id({"Environment": {"Variables": {"CONNECT_INSTANCE_ARN": arn}}}) == "i-1"  # type: ignore[typeddict-item]  # the part that is read
    with pytest.raises(StackOutputError, match="not reply-courier's"):
        queries.instance_id({})  # type: ignore[typeddict-item]  # another one's
