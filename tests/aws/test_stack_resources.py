"""Alarms, subscriptions and tables of a template in local AWS: what moto's CloudFormation makes of them."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from local.cdk import finish_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.aws import LocalAws


def template(threshold: float, *protocols: str) -> str:
    topic = {"TopicArn": {"Ref": "Topic"}}
    alarm: dict[str, Any] = {
        "AlarmDescription": "Runbook: A.",
        "AlarmActions": list(topic.values()),
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Metrics": [{"Id": "m", "Expression": "1", "ReturnData": True}],
        "Threshold": threshold,
    }
    subscriptions = {
        protocol.title(): {
            "Type": "AWS::SNS::Subscription",
            "Properties": {**topic, "Protocol": protocol, "Endpoint": f"{protocol}://oncall.invalid"},
        }
        for protocol in protocols
    }
    resources = {
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
        **subscriptions,
    }
    return json.dumps({"Resources": resources, "Outputs": {"Topic": {"Value": {"Ref": "Topic"}}}})


@pytest.fixture
def stack(aws: LocalAws) -> Iterator[str]:
    name = f"s{uuid.uuid4().hex}"
    aws.stacks.create_stack(StackName=name, TemplateBody=template(1, "https", "email"))
    yield name
    aws.stacks.delete_stack(StackName=name)


def alarms(aws: LocalAws, stack: str) -> list[Any]:
    return [*aws.cloudwatch.describe_alarms(AlarmNamePrefix=stack)["MetricAlarms"]]


def test_an_alarm_begins_without_data_and_changes_only_when_told(aws: LocalAws, stack: str) -> None:
    (alarm,) = alarms(aws, stack)
    assert (alarm["StateValue"], alarm["Threshold"], alarm["AlarmDescription"]) == (
        "INSUFFICIENT_DATA",
        1,
        "Runbook: A.",
    )
    listed = aws.stacks.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    assert alarm["AlarmName"] in {resource["PhysicalResourceId"] for resource in listed}
    assert len(alarm["AlarmActions"]) == 1
    aws.cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="ALARM", StateReason="a test")
    assert alarms(aws, stack)[0]["StateValue"] == "ALARM"


def test_an_alarm_is_changed_and_deleted_with_its_stack(aws: LocalAws, stack: str) -> None:
    (before,) = alarms(aws, stack)
    aws.stacks.update_stack(StackName=stack, TemplateBody=template(2, "https", "email"))
    (after,) = alarms(aws, stack)
    assert (after["AlarmName"], after["Threshold"]) == (before["AlarmName"], 2)
    aws.stacks.delete_stack(StackName=stack)
    assert alarms(aws, stack) == []


def test_a_subscription_by_email_waits_to_be_confirmed(aws: LocalAws, stack: str) -> None:
    topic = aws.stacks.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"][0]["OutputValue"]
    sns = aws.session.client("sns", endpoint_url=aws.endpoint)

    def listed() -> dict[str, str]:
        every = sns.list_subscriptions()["Subscriptions"]
        return {each["Protocol"]: each["SubscriptionArn"] for each in every if each["TopicArn"] == topic}

    assert listed()["email"] == "PendingConfirmation"
    assert listed()["https"].startswith(topic)
    aws.stacks.delete_stack(StackName=stack)
    assert listed() == {}


def test_a_table_has_the_time_to_live_and_the_backups_of_its_template(aws: LocalAws) -> None:
    table = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "KeySchema": [{"AttributeName": "Key", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "Key", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
            "TimeToLiveSpecification": {"AttributeName": "DeleteAt", "Enabled": True},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        },
    }
    stack = f"s{uuid.uuid4().hex}"
    aws.stacks.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": {"Table": table}}))
    (resource,) = aws.stacks.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    name = resource["PhysicalResourceId"]

    finish_tables(aws, stack)
    finish_tables(aws, stack)  # as an update of the stack does

    assert aws.tables.describe_time_to_live(TableName=name)["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "DeleteAt",
    }
    backups = aws.tables.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    aws.stacks.delete_stack(StackName=stack)
