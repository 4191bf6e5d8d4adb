"""The emulated Connect as boto3's client sees it, over real HTTP, and as a program."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from local.connect.faults import OPERATIONS
from local.waiting import until
from tests.samples import INSTANCE_ARN, INSTANCE_ID, REGION, reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_connect import ConnectClient

    from local.connect.control_client import ConnectControl


@pytest.fixture
def client(connect: ConnectControl) -> Iterator[ConnectClient]:
    with client_with_timeout(connect, 60) as client:
        yield client


@contextmanager
def client_with_timeout(connect: ConnectControl, seconds: float) -> Iterator[ConnectClient]:
    client = boto3.client(
        "connect",
        endpoint_url=connect.url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=seconds),
    )
    yield client
    client.close()


def send(client: ConnectClient, token: str = "t", **changes: Any) -> str:
    request = reply(InstanceId=INSTANCE_ID, ClientToken=token, **changes)
    return client.start_outbound_email_contact(**request)["ContactId"]


def test_boto3_gets_an_answer_and_the_record_has_its_request(connect: ConnectControl, client: ConnectClient) -> None:
    answer = client.start_outbound_email_contact(**reply(InstanceId=INSTANCE_ARN, ClientToken="t"))

    assert answer["ContactId"] == "contact-1"
    (call,) = connect.calls
    assert call["body"] == json.loads(call["raw"]) == reply(InstanceId=INSTANCE_ARN, ClientToken="t")
    assert call["request_id"] == answer["ResponseMetadata"]["RequestId"]
    assert [(each["contact_id"], each["client_token"]) for each in connect.sent] == [("contact-1", "t")]


def test_a_contact_made_by_boto3_can_be_sent_once(client: ConnectClient) -> None:
    created = client.create_contact(
        InstanceId=INSTANCE_ID,
        Channel="EMAIL",
        InitiationMethod="AGENT_REPLY",
        RelatedContactId="inbound-1",
        UserInfo={"UserId": "agent"},
    )

    assert created["ContactArn"].endswith(f"instance/{INSTANCE_ID}/contact/{created['ContactId']}")
    assert send(client, "t", ContactId=created["ContactId"]) == created["ContactId"]
    with pytest.raises(client.exceptions.InvalidRequestException):
        send(client, "u", ContactId=created["ContactId"])


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("throttle", 429, "ThrottlingException"),
        ("too_many_requests", 429, "TooManyRequestsException"),
        ("internal_error", 500, "InternalServiceException"),
        ("unavailable", 503, "503"),
        ("access_denied", 403, "AccessDeniedException"),
        ("expired_token", 403, "ExpiredTokenException"),
        ("quota_exceeded", 402, "ServiceQuotaExceededException"),
        ("attachment_not_approved", 400, "InvalidRequestException"),
        ("invalid_request", 400, "InvalidRequestException"),
        ("not_found", 404, "ResourceNotFoundException"),
        ("conflict", 409, "IdempotencyException"),
    ],
)
def test_boto3_reads_the_status_and_the_code_of_every_error(
    connect: ConnectControl, client: ConnectClient, fault: str, status: int, code: str
) -> None:
    connect.fail(fault)

    with pytest.raises(ClientError) as error:
        send(client)

    assert error.value.response["Error"]["Code"] == code
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert error.value.response["Error"]["Message"]
    (call,) = connect.calls
    assert (call["status"], call["error"]) == (status, None if fault == "unavailable" else code)
    assert connect.sent == []
    assert send(client) == "contact-1"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("drop_before", ConnectionClosedError),
        ("drop_after", ConnectionClosedError),
        ("hang", ReadTimeoutError),
        ("hang_after", ReadTimeoutError),
        # A 200 that is no JSON is no error to boto3: it comes back as an answer without its members.
        ("garbage", KeyError),
        ("garbage_after", KeyError),
    ],
)
def test_boto3_raises_for_a_lost_answer_and_a_repeat_sends_one_email(
    connect: ConnectControl, client: ConnectClient, fault: str, error: type[Exception]
) -> None:
    connect.fail(fault)

    with client_with_timeout(connect, 1) as impatient, pytest.raises(error):
        send(impatient)

    is_sent = fault.endswith("_after")
    assert [call["accepted"] for call in connect.calls] == [is_sent]
    assert len(connect.sent) == is_sent
    assert send(client) == "contact-1"
    assert len(connect.sent) == 1


def draft(client: ConnectClient, **members: Any) -> str:
    return client.create_contact(
        **{"InstanceId": INSTANCE_ID, "Channel": "EMAIL", "InitiationMethod": "FLOW"} | members
    )["ContactId"]


def test_boto3_describes_and_stops_a_draft_which_then_has_ended(connect: ConnectControl, client: ConnectClient) -> None:
    contact_id = draft(client)
    described = client.describe_contact(InstanceId=INSTANCE_ID, ContactId=contact_id)["Contact"]
    assert (described["Id"], described["Channel"], "DisconnectTimestamp" in described) == (contact_id, "EMAIL", False)
    assert abs(described["InitiationTimestamp"].timestamp() - time.time()) < 60

    client.stop_contact(InstanceId=INSTANCE_ID, ContactId=contact_id)

    with pytest.raises(client.exceptions.ContactNotFoundException) as gone:
        client.stop_contact(InstanceId=INSTANCE_ID, ContactId=contact_id)
    assert gone.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        send(client, ContactId=contact_id)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_contact(InstanceId=INSTANCE_ID, ContactId="unknown")
    assert "DisconnectTimestamp" in client.describe_contact(InstanceId=INSTANCE_ID, ContactId=contact_id)["Contact"]
    calls = {operation: len(connect.calls_of(operation)) for operation in OPERATIONS}
    assert calls == {"StartOutboundEmailContact": 1, "CreateContact": 1, "StopContact": 2, "DescribeContact": 3}


def test_inbound_emails_and_drafts_share_the_capacity(connect: ConnectControl, client: ConnectClient) -> None:
    connect.settings(capacity=23)  # 20 drafts are there already
    contact_id = draft(client)
    assert connect.receive_emails(3) == 1

    with pytest.raises(client.exceptions.ServiceQuotaExceededException):
        draft(client)

    assert contact_id in connect.drafts
    active = connect.active
    assert (active["active"], active["drafts"], active["inbound"], active["refused_inbound"]) == (23, 21, 2, 1)


def test_create_contact_has_a_quota_of_its_own(connect: ConnectControl, client: ConnectClient) -> None:
    connect.settings(create_rate=1e-9, create_burst=1)
    contact_id = draft(client)

    with pytest.raises(client.exceptions.ThrottlingException):
        draft(client)
    assert send(client, ContactId=contact_id) == contact_id


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("internal_error", ClientError),
        ("unavailable", ClientError),
        ("drop_before", ConnectionClosedError),
        ("drop_after", ConnectionClosedError),
        ("hang", ReadTimeoutError),
        ("hang_after", ReadTimeoutError),
        ("garbage", KeyError),
        ("garbage_after", KeyError),
    ],
)
def test_a_fault_strikes_create_contact_alone_and_may_leave_a_draft(
    connect: ConnectControl, client: ConnectClient, fault: str, error: type[Exception]
) -> None:
    connect.fail(fault, operation="CreateContact")
    assert send(client) == "contact-1"
    before = len(connect.drafts)

    with client_with_timeout(connect, 1) as impatient, pytest.raises(error):
        draft(impatient)

    assert len(connect.drafts) - before == fault.endswith("_after")


def test_callers_do_not_wait_for_each_other(connect: ConnectControl, client: ConnectClient) -> None:
    connect.fail("hang", times=None, contact_id="contact-1", seconds=3600)
    with client_with_timeout(connect, 5) as impatient, ThreadPoolExecutor(1) as other_thread:
        hanging = other_thread.submit(send, impatient)
        until(lambda: connect.calls, "the first call has come")
        assert send(client, "t-2", ContactId="contact-2") == "contact-2"
        with pytest.raises(ReadTimeoutError):
            hanging.result()


def test_a_connection_stays_open_for_further_calls_after_errors(connect: ConnectControl) -> None:
    connection = http.client.HTTPConnection(urlsplit(connect.url).netloc)
    connection.connect()
    socket = connection.sock
    for method, path in [("PUT", "/contact/outbound-email"), ("POST", "/nothing"), ("GET", "/")] * 2:
        connection.request(method, path, body=b'{"a": 1}')
        connection.getresponse().read()

        assert connection.sock is socket
    connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_prints_its_url_and_a_signal_ends_it_during_a_call(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "local.connect", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            line = program.stdout.readline()
            assert line.startswith("emulated Connect on http://127.0.0.1:")
            address = urlsplit(line.split()[-1]).netloc
            control, hanging = http.client.HTTPConnection(address), http.client.HTTPConnection(address)
            control.request("POST", "/_local/faults", body=b'{"fault": "hang", "seconds": 600}')
            control.getresponse().read()
            hanging.request("PUT", "/contact/outbound-email", body=b"{}")
            assert any(_calls(control) for _ in range(10_000)), "the call never came"

            program.send_signal(number)
            printed, errors = program.communicate(timeout=10)

            assert (program.returncode, printed, errors) == (0, "", "")
            control.close()
            hanging.close()
        finally:
            program.kill()


def _calls(connection: http.client.HTTPConnection) -> list[Any]:
    connection.request("GET", "/_local/calls")
    calls: list[Any] = json.loads(connection.getresponse().read())["calls"]
    return calls
