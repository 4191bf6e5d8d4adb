"""The calls to Amazon Connect about drafts: make one, stop one, and ask whether Connect knows one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, DataNotFoundError

from handler.services import connect
from handler.services.connect import error_parts, id_of, verdict_for
from handler.verdict import AlreadySent, Cause, DeadLetter, Retry

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient

CONTACTS_API_VERSION = "2017-08-07"
"""The bundle holds these operations as a Connect model of its own, so that replies with ContactId don't load them
(infra/service_model.py). AWS's whole model has the next day's date."""
CONNECT_TIMEOUT = 1
READ_TIMEOUT = 4
CALL_SECONDS = CONNECT_TIMEOUT + READ_TIMEOUT
"""How long StopContact and DescribeContact take if they time out. CreateContact has the send's time-outs."""


@dataclass(frozen=True, slots=True)
class NotMade:
    """CreateContact returned no contact.

    Attributes:
        verdict: What its answer means for the reply.
        may_be_made: Whether it may have made a contact all the same, whose id nobody knows.
    """

    verdict: Retry | DeadLetter
    may_be_made: bool


class Contacts:
    """Makes and stops contacts; one for each execution environment.

    Args:
        instance_arn: The instance to make them in.
        creating: The client for CreateContact.
        asking: The client for StopContact and DescribeContact.
    """

    def __init__(self, instance_arn: str, creating: ConnectClient, asking: ConnectClient) -> None:
        self._instance_id = id_of(instance_arn)
        self._creating = creating
        self._asking = asking

    def create(self, parameters: dict[str, Any], token: str, expiry_minutes: int) -> str | NotMade:
        """Call CreateContact once; return the contact's id, or what the answer means. Nothing is raised.

        Args:
            parameters: The reply's member CreateContact.
            token: The call's own client token, used for this call only.
            expiry_minutes: How long Connect keeps the draft.
        """
        try:
            answer = self._creating.create_contact(
                InstanceId=self._instance_id,
                ClientToken=token,
                Channel="EMAIL",
                ExpiryDurationInMinutes=expiry_minutes,
                **{"InitiationMethod": "FLOW", **parameters},
            )
        except Exception as error:  # noqa: BLE001 - whatever went wrong, a contact may have been made
            return _not_made(error, has_user="UserInfo" in parameters)
        if contact_id := answer.get("ContactId"):
            return contact_id
        request_id = answer["ResponseMetadata"].get("RequestId", "")
        unread = Retry(Cause.UNAVAILABLE, "CreateContact: 200, but without a ContactId", request_id)
        return NotMade(unread, may_be_made=True)

    def stop(self, contact_id: str) -> bool:
        """Call StopContact once; return whether the contact is certainly gone. Nothing is raised."""
        try:
            self._asking.stop_contact(InstanceId=self._instance_id, ContactId=contact_id)
        except ClientError as error:
            return error_parts(error)[2] in {404, 410}
        except Exception:  # noqa: BLE001 - the draft's expiry ends it all the same
            return False
        return True

    def is_known(self, contact_id: str) -> bool:
        """Call DescribeContact once; return whether Connect finds the contact. Nothing is raised."""
        try:
            answer = self._asking.describe_contact(InstanceId=self._instance_id, ContactId=contact_id)
        except Exception:  # noqa: BLE001 - whatever went wrong, it is not known that Connect knows the contact
            return False
        return "Contact" in answer


def _not_made(error: Exception, *, has_user: bool) -> NotMade:
    """Return what an error of CreateContact means.

    https://docs.aws.amazon.com/connect/latest/APIReference/API_CreateContact.html, Errors.
    """
    verdict = verdict_for(error, knows_token=False)
    assert not isinstance(verdict, AlreadySent)  # noqa: S101 - only a known token means that
    status = error_parts(error)[2] if isinstance(error, ClientError) else 0
    detail = f"CreateContact: {verdict.detail}"
    if status == 409:  # noqa: PLR2004 - HTTP's own numbers. The token is new, so the network may have repeated the call
        return NotMade(Retry(Cause.UNAVAILABLE, detail, verdict.request_id), may_be_made=True)
    if isinstance(verdict, DeadLetter):
        return NotMade(
            replace(verdict, detail=detail, connect_called=False, may_have_been_sent=False), may_be_made=False
        )
    cause = Cause.USER_FULL if has_user and verdict.cause is Cause.ACTIVE_EMAILS_FULL else verdict.cause
    return NotMade(Retry(cause, detail, verdict.request_id), may_be_made=verdict.may_have_been_sent)


def clients(instance_arn: str) -> tuple[ConnectClient, ConnectClient]:
    """Make the clients for CreateContact, and for StopContact and DescribeContact. Each makes one try."""
    return (
        _client(instance_arn, connect.CONNECT_TIMEOUT, connect.READ_TIMEOUT),
        _client(instance_arn, CONNECT_TIMEOUT, READ_TIMEOUT),
    )


def _client(instance_arn: str, connect_timeout: int, read_timeout: int) -> ConnectClient:
    config = Config(
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    region = instance_arn.split(":")[3]
    try:
        return boto3.client("connect", api_version=CONTACTS_API_VERSION, region_name=region, config=config)
    except DataNotFoundError:  # not in the bundle: botocore has AWS's whole model only
        return boto3.client("connect", region_name=region, config=config)
