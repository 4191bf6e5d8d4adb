"""What `courier doctor` asks AWS, and the answers as plain data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from courier.aws import BOTO_CONFIG, StackOutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_connect import ConnectClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sns import SNSClient

    from courier.aws import Account

OPERATION = "StartOutboundEmailContact"
MAX_RESULTS = 100
"""The most that DescribeAlarms accepts and SearchEmailAddresses returns."""
_HOUR = 3_600
_RUNBOOK_SECTION = re.compile(r"Runbook: (\w+)\.")


@dataclass(frozen=True, slots=True)
class Clients:
    """Clients for the services that only `doctor` asks."""

    sns: SNSClient
    quotas: ServiceQuotasClient
    connect: ConnectClient

    @classmethod
    def of(cls, account: Account) -> Self:
        """The account's clients."""
        url = account.endpoint_url
        return cls(
            account.session.client("sns", endpoint_url=url, config=BOTO_CONFIG),
            account.session.client("service-quotas", endpoint_url=url, config=BOTO_CONFIG),
            account.session.client("connect", endpoint_url=url, config=BOTO_CONFIG),
        )


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm.

    Attributes:
        name: Its name in CloudWatch.
        description: What its email says.
        state: OK, ALARM or INSUFFICIENT_DATA.
        actions_enabled: Whether it notifies anyone.
        actions: The ARNs of its alarm actions.
    """

    name: str
    description: str
    state: str
    actions_enabled: bool = True
    actions: Sequence[str] = ()

    @property
    def runbook_section(self) -> str:
        """Its section in docs/runbook.md, which its description names."""
        found = _RUNBOOK_SECTION.search(self.description)
        return found[1] if found else self.name


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota of Service Quotas.

    Attributes:
        name: Its name there.
        value: How many requests.
        seconds: In how many seconds; None if Service Quotas does not say, as for rates a second.
        is_default: Whether it is AWS's default, and not this account's.
    """

    name: str
    value: float
    seconds: float | None = None
    is_default: bool = False

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.value / (self.seconds or 1)

    @property
    def is_send_rate(self) -> bool:
        """Whether it limits the rate of the call that sends email."""
        return OPERATION.lower() in self.name.replace(" ", "").lower() and "burst" not in self.name.lower()


def function_configuration(account: Account) -> FunctionConfigurationResponseTypeDef:
    """The function's configuration in Lambda."""
    return account.functions.get_function_configuration(FunctionName=account.output("FunctionName"))


def instance_id(configuration: FunctionConfigurationResponseTypeDef) -> str:
    """The Connect instance that the function sends for, from its environment variables.

    Raises:
        StackOutputError: It has no such variable.
    """
    if arn := configuration.get("Environment", {}).get("Variables", {}).get("CONNECT_INSTANCE_ARN"):
        return arn.rpartition("/")[2]
    raise StackOutputError(
        "The function has no environment variable CONNECT_INSTANCE_ARN, so it is not reply-courier's.",
        "Name the right stack with --stack, or deploy it again.",
    )


def stack_resources(account: Account) -> list[tuple[str, str]]:
    """The physical id and the type of each resource of the stack."""
    pages = account.cloudformation.get_paginator("list_stack_resources").paginate(StackName=account.stack)
    return [
        (resource["PhysicalResourceId"], resource["ResourceType"])
        for page in pages
        for resource in page["StackResourceSummaries"]
        if "PhysicalResourceId" in resource
    ]


def ids_of_type(resources: Iterable[tuple[str, str]], resource_type: str) -> list[str]:
    """The physical ids of the resources of one type."""
    return [physical_id for physical_id, its_type in resources if its_type == resource_type]


def describe_alarms(account: Account, names: Sequence[str]) -> list[Alarm]:
    """The alarms with these names that exist."""
    batches = (names[first : first + MAX_RESULTS] for first in range(0, len(names), MAX_RESULTS))
    answers = (account.cloudwatch.describe_alarms(AlarmNames=some, MaxRecords=MAX_RESULTS) for some in batches)
    return [
        Alarm(
            alarm["AlarmName"],
            alarm.get("AlarmDescription", ""),
            alarm["StateValue"],
            alarm.get("ActionsEnabled", True),
            alarm.get("AlarmActions", []),
        )
        for answer in answers
        for alarm in answer["MetricAlarms"]
    ]


def subscription_arns(sns: SNSClient, topics: Iterable[str]) -> list[str]:
    """The ARNs of the topics' subscriptions, or what SNS puts in their place."""
    paginator = sns.get_paginator("list_subscriptions_by_topic")
    return [
        subscription["SubscriptionArn"]
        for topic in topics
        for page in paginator.paginate(TopicArn=topic)
        for subscription in page["Subscriptions"]
    ]


def sum_of_metric(account: Account, metric: str, now: float, minutes: int) -> float:
    """The sum of one of the function's own metrics over the last minutes. CloudWatch has no zeros of these."""
    end = datetime.fromtimestamp(now, UTC)
    points = account.cloudwatch.get_metric_statistics(
        Namespace="ReplyCourier",
        MetricName=metric,
        Dimensions=[{"Name": "service", "Value": account.stack}],
        StartTime=end - timedelta(minutes=minutes),
        EndTime=end,
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points)


def send_quota(quotas: ServiceQuotasClient, *, is_default: bool) -> Quota | None:
    """The quota of the call that sends email: this account's, or AWS's default."""
    pages = (
        quotas.get_paginator("list_aws_default_service_quotas").paginate(ServiceCode="connect")
        if is_default
        else quotas.get_paginator("list_service_quotas").paginate(ServiceCode="connect")
    )
    listed = (
        Quota(each["QuotaName"], each["Value"], _period_seconds(each.get("Period", {})), is_default)
        for page in pages
        for each in page["Quotas"]
    )
    return next((each for each in listed if each.is_send_rate), None)


def count_email_addresses(connect: ConnectClient, instance_id: str) -> int:
    """The number of the instance's email addresses. boto3 has no paginator for this call."""
    answer = connect.search_email_addresses(InstanceId=instance_id, MaxResults=MAX_RESULTS)
    count = len(answer["EmailAddresses"])
    while token := answer.get("NextToken"):
        answer = connect.search_email_addresses(InstanceId=instance_id, MaxResults=MAX_RESULTS, NextToken=token)
        count += len(answer["EmailAddresses"])
    return count


def _period_seconds(period: Mapping[str, object]) -> float | None:
    """The length of a quota's period."""
    units = {"MICROSECOND": 1e-6, "MILLISECOND": 1e-3, "SECOND": 1, "MINUTE": 60, "HOUR": _HOUR, "DAY": 24 * _HOUR}
    unit, value = units.get(str(period.get("PeriodUnit"))), period.get("PeriodValue")
    return unit * value if unit and isinstance(value, int) else None
