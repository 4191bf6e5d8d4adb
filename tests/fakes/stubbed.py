"""A boto3 client that answers as told, and checks requests and answers against botocore's model of the service."""

from typing import Any

import boto3
from botocore.stub import Stubber

from tests.samples import REGION


def stubbed(service: str) -> tuple[Any, Stubber]:
    """The client, and what tells it its answers in their order."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client: Any = boto3.client(service, region_name=REGION, **keys)  # type: ignore[call-overload]  # any service
    stubber = Stubber(client)
    stubber.activate()
    return client, stubber
