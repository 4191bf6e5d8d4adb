"""The emulated Connect as its callers meet it: boto3's client, a browser and signals, over real HTTP."""

from __future__ import annotations

import http.client
import json
import re
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

from local.waiting import until
from tests.samples import BODY, INSTANCE_ARN, INSTANCE_ID, REGION, SUBJECT, raw_message, reply, template_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_connect import ConnectClient

    from local.connect.control_client import ConnectControl

SCRIPT = "<script>alert(1)</script>"


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


def http_call(
    connect: ConnectControl, method: str, path: str, body: str = ""
) -> tuple[int, str, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection(urlsplit(connect.url).netloc)
    connection.request(method, path, body)
    answer = connection.getresponse()
    content = answer.read().decode()
    connection.close()
    return answer.status, content, answer.headers


def page(connect: ConnectControl, path: str = "/") -> tuple[str, http.client.HTTPMessage]:
    status, html, headers = http_call(connect, "GET", path)
    assert status == 200
    return html, headers


def test_boto3_gets_its_answer_and_the_record_holds_what_it_sent(
    connect: ConnectControl, client: ConnectClient
) -> None:
    answer = client.start_outbound_email_contact(**reply(InstanceId=INSTANCE_ARN, ClientToken="t"))

    assert answer["ContactId"] == "contact-1"
    (call,) = connect.calls
    assert call["body"] == json.loads(call["raw"]) == reply(InstanceId=INSTANCE_ARN, ClientToken="t")
    assert call["request_id"] == answer["ResponseMetadata"]["RequestId"]
    assert [(each["contact_id"], each["client_token"]) for each in connect.sent] == [("contact-1", "t")]


def test_a_contact_made_by_boto3_can_be_sent_once(client: ConnectClient) -> None:
    created = client.create_contact(
        InstanceId=INSTANCE_ID, Channel="EMAIL", InitiationMethod="AGENT_REPLY", UserInfo={"UserId": "agent"}
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
def test_boto3_reads_every_error_as_what_it_is(
    connect: ConnectControl, client: ConnectClient, fault: str, status: int, code: str
) -> None:
    connect.fail(fault)

    with pytest.raises(ClientError) as error:
        send(client)

    assert error.value.response["Error"]["Code"] == code
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert error.value.response["Error"]["Message"]
    assert connect.sent == []


def test_the_emulated_rules_are_read_as_the_modelled_exceptions(connect: ConnectControl, client: ConnectClient) -> None:
    with pytest.raises(client.exceptions.InvalidRequestException, match="not-an-address"):
        send(client, DestinationEmailAddress={"EmailAddress": "not-an-address"})
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="Contact not found"):
        send(client, ContactId="unknown")
    send(client)
    with pytest.raises(client.exceptions.IdempotencyException):
        send(client, ContactId="contact-2")
    connect.settings(capacity=0)
    with pytest.raises(client.exceptions.ServiceQuotaExceededException):
        send(client, "u", ContactId="contact-2")
    connect.settings(rate=0.001, burst=1)
    send(client)
    with pytest.raises(client.exceptions.ThrottlingException, match="Rate exceeded"):
        send(client)


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
def test_a_lost_answer_is_a_lost_answer_to_boto3_and_a_repeat_sends_once(
    connect: ConnectControl, client: ConnectClient, fault: str, error: type[Exception]
) -> None:
    connect.fail(fault)

    with client_with_timeout(connect, 1) as impatient, pytest.raises(error):
        send(impatient)

    assert len(connect.sent) == fault.endswith("_after")
    assert send(client) == "contact-1"
    assert len(connect.sent) == 1


def test_an_answer_takes_the_latency_that_is_set(connect: ConnectControl, client: ConnectClient) -> None:
    connect.settings(latency_ms=300)
    started = time.monotonic()
    send(client)
    assert time.monotonic() - started >= 0.3


def test_callers_do_not_wait_for_each_other(connect: ConnectControl, client: ConnectClient) -> None:
    connect.fail("hang", times=None, contact_id="contact-1", seconds=3600)
    with client_with_timeout(connect, 5) as impatient, ThreadPoolExecutor(1) as other_thread:
        hanging = other_thread.submit(send, impatient)
        until(lambda: connect.calls, "the first call has come")
        assert send(client, "t-2", ContactId="contact-2") == "contact-2"
        with pytest.raises(ReadTimeoutError):
            hanging.result()


def test_one_token_from_many_callers_at_once_sends_one_email(connect: ConnectControl, client: ConnectClient) -> None:
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: send(client), range(40)))

    assert answers == ["contact-1"] * 40
    assert len(connect.sent) == 1
    assert sum(call["repeat"] for call in connect.calls) == 39


def test_a_connection_serves_many_calls_errors_and_unknown_ones_included(connect: ConnectControl) -> None:
    connection = http.client.HTTPConnection(urlsplit(connect.url).netloc)
    connection.connect()
    socket = connection.sock
    for method, path in [("PUT", "/contact/outbound-email"), ("POST", "/nothing"), ("GET", "/")] * 2:
        connection.request(method, path, body=b'{"a": 1}')
        connection.getresponse().read()

        assert connection.sock is socket
    connection.close()


def test_the_page_shows_emails_newest_first_and_the_state_of_things(
    connect: ConnectControl, client: ConnectClient
) -> None:
    connect.fail("throttle", times=None, contact_id="contact-9")
    cc = {"CcEmailAddresses": [{"EmailAddress": "cc@customer.example"}]}
    send(client, "t-1", ContactId="contact-1", AdditionalRecipients=cc)
    send(client, "t-2", ContactId="contact-2", EmailMessage=template_message(MessageTemplateId="welcome"))

    html, _ = page(connect)

    assert html.index("welcome") < html.index(SUBJECT)
    assert "cc@customer.example" in html
    assert "throttle" in html
    assert "1000/s, burst 1000" in html


def test_the_page_shows_refused_calls_and_only_counts_throttled_ones(
    connect: ConnectControl, client: ConnectClient
) -> None:
    connect.fail("throttle")
    for _ in range(2):
        with pytest.raises(ClientError):
            send(client, "t-1", ContactId="nobody")

    html, _ = page(connect)
    opened, _ = page(connect, "/?open=2")

    assert html.count('class="refused"') == 1
    assert "404 ResourceNotFoundException" in html
    assert "Not sent: Contact not found" in html
    assert SUBJECT in opened
    assert "nobody" in opened


def test_a_row_has_names_and_the_time_and_many_cc_unfold(connect: ConnectControl, client: ConnectClient) -> None:
    cc = [{"EmailAddress": f"cc-{n}@customer.example", "DisplayName": f"Person {n}"} for n in range(49)]
    send(client, "t-1", ContactId="contact-1", AdditionalRecipients={"CcEmailAddresses": cc})

    (row,) = re.findall(r"<a id=.*?</a>", page(connect)[0], re.DOTALL)
    opened, _ = page(connect, "/?open=1")

    assert "CC Person 0 and 48 more" in row
    assert "@" not in row
    assert re.search(r">\d\d:\d\d:\d\d</time>", row)
    details = opened[opened.index("<details>") : opened.index("</details>")]
    assert all(f"Person {n} " in details for n in range(49))


def test_an_empty_page_says_how_to_send(connect: ConnectControl) -> None:
    html, _ = page(connect)
    assert "aws connect create-contact" in html
    assert "python -m courier send -" in html


def test_an_open_email_is_shown_whole(connect: ConnectControl, client: ConnectClient) -> None:
    attributes = {"CustomAttributes": {"order": "4711"}, "CustomerProfileAttributes": '{"vip": true}'}
    send(client, "t-1", ContactId="contact-1")
    send(client, "t-2", ContactId="contact-2", EmailMessage=template_message(TemplateAttributes=attributes))

    text, template = page(connect, "/?open=1")[0], page(connect, "/?open=2")[0]

    assert BODY in text
    assert all(each in template for each in ("kb-1", "template-1", "order", "4711", "vip"))


def test_nothing_in_an_email_comes_through_as_markup(connect: ConnectControl, client: ConnectClient) -> None:
    address = {"EmailAddress": "<b>@customer.example", "DisplayName": SCRIPT}
    connect.settings(email_addresses=["<b>@customer.example"])
    send(
        client,
        SCRIPT,
        DestinationEmailAddress=address,
        FromEmailAddress=address,
        AdditionalRecipients={"CcEmailAddresses": [address]},
        EmailMessage=raw_message(Subject=SCRIPT, Body=SCRIPT),
    )

    html, headers = page(connect, "/?open=1")

    assert SCRIPT not in html
    assert "<b>" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 5
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]


def test_an_html_body_is_only_at_its_own_url_in_a_sandbox(connect: ConnectControl, client: ConnectClient) -> None:
    body = f"<h1>Hello</h1>{SCRIPT}"
    send(client, EmailMessage=raw_message(Body=body, ContentType="text/html"))

    html, _ = page(connect, "/?open=1")
    framed, headers = page(connect, "/emails/1/body")

    assert '<iframe sandbox="" src="/emails/1/body"' in html
    assert "<h1>Hello" not in html
    assert framed == body
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_a_lone_surrogate_in_an_email_does_not_break_the_page(connect: ConnectControl) -> None:
    request = reply(InstanceId=INSTANCE_ID, EmailMessage=raw_message(Subject="broken \ud800"))
    http_call(connect, "PUT", "/contact/outbound-email", json.dumps(request))

    assert "broken ?" in page(connect, "/?open=1")[0]


@pytest.mark.parametrize("path", ["/page.css", "/page.js"])
def test_the_page_brings_its_own_files(connect: ConnectControl, path: str) -> None:
    assert page(connect, path)[0]


@pytest.mark.parametrize("path", ["/nothing", "/emails/99/body", "/../page.py"])
def test_other_pages_are_not_there(connect: ConnectControl, path: str) -> None:
    assert http_call(connect, "GET", path)[0] == 404


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_says_where_it_is_and_ends_when_told_even_while_a_call_hangs(number: signal.Signals) -> None:
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
