"""The clients that only `doctor` has need of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.config import Config

from courier.aws import CALLS

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sns import SNSClient

    from courier.aws import Account

ONCE = CALLS.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
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
        account.session.client("sns", endpoint_url=where, config=CALLS),
        account.session.client("service-quotas", endpoint_url=where, config=CALLS),
        account.session.client("connect", endpoint_url=where, config=CALLS),
    )


def connect_asked_once(account: Account) -> ConnectClient:
    """A client of Connect that repeats no call."""
    return account.session.client("connect", endpoint_url=account.endpoint_url, config=ONCE)
