from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    ReadTimeoutError,
)

from courier.aws import Account
from courier.errors import explain, is_transient, permission
from tests.fakes.faults import refusal


def account() -> Account:
    return Account("my-stack", region="eu-central-1")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NoCredentialsError(), "aws sso login"),
        (NoRegionError(), "--region"),
        (ProfileNotFound(profile="courier"), "~/.aws/config"),
        (EndpointConnectionError(endpoint_url="http://x"), "--region"),
        (ConnectTimeoutError(endpoint_url="http://x"), "network"),
        (refusal(403, "AccessDenied"), "not allowed to sqs:AnyOperation in the Region eu-central-1"),
        (refusal(403, "ExpiredToken"), "Log in again"),
        (refusal(400, "AWS.SimpleQueueService.NonExistentQueue"), "my-stack"),
        (refusal(403, "OverLimit"), "120,000"),
        (refusal(500, "Odd"), "again in a while"),
        (refusal(400, "Odd", "odd words"), "odd words"),
        (refusal(404, "404", "<html>"), "does not know AnyOperation (404). Is it AWS?"),
    ],
)
def test_an_error_says_what_to_do(error: Any, told: str) -> None:
    assert told in str(explain(error, account()))


def test_only_what_passes_by_itself_is_worth_another_try() -> None:
    assert is_transient(refusal(400, "RequestThrottled"))
    assert is_transient(refusal(503, "Any"))
    assert is_transient(ConnectTimeoutError(endpoint_url="http://x"))
    assert is_transient(ReadTimeoutError(endpoint_url="http://x"))
    assert is_transient(ConnectionClosedError(endpoint_url="http://x"))
    assert not is_transient(EndpointConnectionError(endpoint_url="http://x"))
    assert not is_transient(refusal(403, "AccessDenied"))
    assert not is_transient(NoCredentialsError())


def test_permissions_are_named_as_iam_names_them() -> None:
    named = {
        "SendMessageBatch": "sqs:SendMessage",
        "ReceiveMessage": "sqs:ReceiveMessage",
        "DescribeStacks": "cloudformation:DescribeStacks",
        "GetMetricStatistics": "cloudwatch:GetMetricStatistics",
        "DescribeAlarms": "cloudwatch:DescribeAlarms",
        "DescribeInstance": "connect:DescribeInstance",
        "GetAccountSettings": "lambda:GetAccountSettings",
        "ListAWSDefaultServiceQuotas": "servicequotas:ListAWSDefaultServiceQuotas",
        "ListSubscriptionsByTopic": "sns:ListSubscriptionsByTopic",
    }
    assert {operation: permission(operation) for operation in named} == named
