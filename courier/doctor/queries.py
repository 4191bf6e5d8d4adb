"""What AWS is asked of alarms, subscriptions, metrics and quotas, and its answers as plain data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.config import Config

from courier.aws import BOTO_CONFIG, NotOurStackError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_connect import ConnectClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sns import SNSClient

    from courier.aws import Account

OPERATION = "StartOutboundEmailContact"
_IN_THE_RUNBOOK = re.compile(r"Runbook: (\w+)\.")


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota of Service Quotas.

    Attributes:
        name: Its name there.
        value: How much.
        seconds: Of how many seconds; None if Service Quotas does not say, as for rates a second.
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
    def is_the_rate(self) -> bool:
        """Whether it is the rate of the call that sends email."""
        return OPERATION.lower() in self.name.replace(" ", "").lower() and "burst" not in self.name.lower()


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm.

    Attributes:
        name: As CloudWatch knows it.
        description: What its mail says.
        state: OK, ALARM or INSUFFICIENT_DATA.
        actions_enabled: Whether its actions are enabled.
    """

    name: str
    description: str
    state: str
    actions_enabled: bool = True

    @property
    def in_the_runbook(self) -> str:
        """Its section in docs/runbook.md, which its description names."""
        found = _IN_THE_RUNBOOK.search(self.description)
        return found[1] if found else self.name


HOUR = 3_600


AT_ONCE = 100
"""The most that DescribeAlarms takes, and SearchEmailAddresses gives."""


def function_configuration(account: Account) -> FunctionConfigurationResponseTypeDef:
    """The function, as Lambda has it."""
    return account.functions.get_function_configuration(FunctionName=account.output("FunctionName"))


def instance_id(account: Account) -> str:
    """The Connect instance that the stack sends for.

    Raises:
        NotOurStackError: The stack or its function is another one's.
        botocore.exceptions.ClientError, BotoCoreError: AWS does not tell.
    """
    return instance_of(function_configuration(account))


def instance_of(configuration: FunctionConfigurationResponseTypeDef) -> str:
    """The same, of a function: its environment names it.

    Raises:
        NotOurStackError: It does not.
    """
    if arn := configuration.get("Environment", {}).get("Variables", {}).get("CONNECT_INSTANCE_ARN"):
        return arn.rpartition("/")[2]
    raise NotOurStackError("The function's environment has no CONNECT_INSTANCE_ARN: it is another one's function.")


def resources(account: Account) -> list[tuple[str, str]]:
    """The stack's resources: the physical id and the type of each."""
    pages = account.cloudformation.get_paginator("list_stack_resources").paginate(StackName=account.stack)
    return [
        (resource["PhysicalResourceId"], resource["ResourceType"])
        for page in pages
        for resource in page["StackResourceSummaries"]
        if "PhysicalResourceId" in resource
    ]


def named(found: Iterable[tuple[str, str]], kind: str) -> list[str]:
    """Those of a type, by their physical ids."""
    return [name for name, its_kind in found if its_kind == kind]


def alarms(account: Account, names: Sequence[str]) -> list[tuple[Alarm, Sequence[str]]]:
    """The alarms that CloudWatch knows of these, each with the ARNs of its actions."""
    answers = (account.cloudwatch.describe_alarms(AlarmNames=some, MaxRecords=AT_ONCE) for some in _batches(names))
    return [
        (
            Alarm(
                alarm["AlarmName"],
                alarm.get("AlarmDescription", ""),
                alarm["StateValue"],
                alarm.get("ActionsEnabled", True),
            ),
            alarm.get("AlarmActions", []),
        )
        for answer in answers
        for alarm in answer["MetricAlarms"]
    ]


def subscribed(sns: SNSClient, topics: Iterable[str]) -> list[str]:
    """The topics' subscriptions, as SNS gives their ARNs."""
    paginator = sns.get_paginator("list_subscriptions_by_topic")
    return [
        subscription["SubscriptionArn"]
        for topic in topics
        for page in paginator.paginate(TopicArn=topic)
        for subscription in page["Subscriptions"]
    ]


def counted(account: Account, metric: str, now: float) -> float | None:
    """What Lambda has counted of the function in the last hour; None if CloudWatch has nothing."""
    end = datetime.fromtimestamp(now, UTC)
    points = account.cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=[{"Name": "FunctionName", "Value": account.output("FunctionName")}],
        StartTime=end - timedelta(seconds=HOUR),
        EndTime=end,
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points) if points else None


def counted_by_function(account: Account, metric: str, now: float, minutes: int) -> float:
    """What the function itself has counted in the last minutes; CloudWatch has no zeros of it."""
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
    """The quota of the call that sends email: this account's, or AWS's default for every account."""
    pages = (
        quotas.get_paginator("list_aws_default_service_quotas").paginate(ServiceCode="connect")
        if is_default
        else quotas.get_paginator("list_service_quotas").paginate(ServiceCode="connect")
    )
    listed = (
        Quota(each["QuotaName"], each["Value"], _seconds(each.get("Period", {})), is_default)
        for page in pages
        for each in page["Quotas"]
    )
    return next((each for each in listed if each.is_the_rate), None)


def email_addresses(connect: ConnectClient, instance_id: str) -> int:
    """How many email addresses the instance has; boto3 has no paginator for this call."""
    answer = connect.search_email_addresses(InstanceId=instance_id, MaxResults=AT_ONCE)
    count = len(answer["EmailAddresses"])
    while following := answer.get("NextToken"):
        answer = connect.search_email_addresses(InstanceId=instance_id, MaxResults=AT_ONCE, NextToken=following)
        count += len(answer["EmailAddresses"])
    return count


def _seconds(period: Mapping[str, object]) -> float | None:
    """How long a quota's period is, as Service Quotas gives it."""
    units = {"MICROSECOND": 1e-6, "MILLISECOND": 1e-3, "SECOND": 1, "MINUTE": 60, "HOUR": HOUR, "DAY": 24 * HOUR}
    unit, value = units.get(str(period.get("PeriodUnit"))), period.get("PeriodValue")
    return unit * value if unit and isinstance(value, int) else None


def _batches(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[first : first + AT_ONCE] for first in range(0, len(names), AT_ONCE))


ONCE = BOTO_CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
"""One call is one call: what is asked again hides the first answer."""


@dataclass(frozen=True, slots=True)
class Clients:
    """Clients of the services that nothing else asks."""

    sns: SNSClient
    quotas: ServiceQuotasClient
    connect: ConnectClient


def clients_of(account: Account) -> Clients:
    """The account's."""
    where = account.endpoint_url
    return Clients(
        account.session.client("sns", endpoint_url=where, config=BOTO_CONFIG),
        account.session.client("service-quotas", endpoint_url=where, config=BOTO_CONFIG),
        account.session.client("connect", endpoint_url=where, config=BOTO_CONFIG),
    )


def connect_asked_once(account: Account) -> ConnectClient:
    """A client of Connect that repeats no call."""
    return account.session.client("connect", endpoint_url=account.endpoint_url, config=ONCE)
