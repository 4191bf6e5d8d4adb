"""Replies larger than a message, from a producer with AWS's own library, through S3 and the function, to Connect."""

import json
import subprocess
import sys
import uuid
from typing import Any

import pytest

from contract.payload import MAX_PAYLOAD_BYTES
from local.aws import ROOT
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.system import LocalCourier
from tests.samples import reply

MIB = 1_048_576
LONGEST = 5 * MIB


def put(courier: LocalCourier, body: str, **environment: str) -> str:
    """Send a body as examples/send_large_reply.py does; return its token."""
    token = str(uuid.uuid4())
    names = {"QUEUE_URL": courier.queue_url, "PAYLOAD_BUCKET": courier.payload_bucket}
    subprocess.run(
        [sys.executable, ROOT / "examples" / "send_large_reply.py", token],
        input=body.encode(),
        env={**courier.aws.program_environment, **names, **environment},
        check=True,
    )
    return token


def with_text(text: str, contact: str = "contact-1") -> dict[str, Any]:
    body = reply(ContactId=contact)
    body["EmailMessage"]["RawMessage"]["Body"] = text
    return body


def letters(courier: LocalCourier) -> list[dict[str, Any]]:
    """The dead letters: their attributes' texts, and their bodies."""
    received = courier.aws.sqs.receive_message(
        QueueUrl=courier.dead_letter_queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    return [
        {name: value.get("StringValue") for name, value in message["MessageAttributes"].items()}
        | {"body": message["Body"]}
        for message in received.get("Messages", [])
    ]


@pytest.mark.parametrize(
    "text",
    ["x" * (MIB * 9 // 10), "x" * MIB, "x" * (MIB * 11 // 10), "\u00e9" * LONGEST],
    ids=["0.9 MiB", "1 MiB", "1.1 MiB", "5 MiB of characters beyond ASCII"],
)
def test_a_large_reply_arrives_character_for_character(courier: LocalCourier, text: str) -> None:
    connect = ConnectControl(courier.connect_url)
    connect.draft("contact-1")
    token = put(courier, json.dumps(with_text(text)))  # as escapes: six bytes each
    wait_until_empty(courier)
    (call,) = connect.calls
    assert call["accepted"]
    assert call["client_token"] == token
    assert call["body"]["EmailMessage"] == with_text(text)["EmailMessage"]


def test_a_large_reply_with_create_contact_is_sent_with_a_draft_that_the_table_knows(courier: LocalCourier) -> None:
    connect, faults = ConnectControl(courier.connect_url), courier.sqs_faults
    body = with_text("x" * LONGEST)
    del body["ContactId"]
    before = faults.struck
    faults.fail("GetItem", "error", times=1)  # the function reads once more
    token = put(courier, json.dumps({**body, "CreateContact": {"RelatedContactId": "inbound-1"}}))
    wait_until_empty(courier)
    (creation,), (email,) = connect.calls_of("CreateContact"), connect.sent
    assert (email["client_token"], email["contact_id"]) == (token, creation["contact_id"])
    assert email["request"]["EmailMessage"] == body["EmailMessage"]
    items = courier.aws.tables.scan(TableName=courier.draft_table)["Items"]
    assert creation["contact_id"] in {item["ContactId"]["S"] for item in items}
    assert faults.struck - before == {("GetItem", "error"): 1}


def test_a_text_that_is_a_character_too_long_is_dead_lettered_as_a_pointer(courier: LocalCourier) -> None:
    put(courier, json.dumps(with_text("x" * (LONGEST + 1))))
    wait_until_empty(courier)
    (letter,) = letters(courier)
    assert letter["ReplyCourier.Reason"] == "InvalidReply"
    assert "s3Key" in letter["body"]
    assert int(letter["ExtendedPayloadSize"]) > LONGEST


def test_an_object_that_is_larger_than_any_reply_is_not_read(courier: LocalCourier) -> None:
    put(courier, "x" * (MAX_PAYLOAD_BYTES + 1))
    wait_until_empty(courier)
    (letter,) = letters(courier)
    assert letter["ReplyCourier.Reason"] == "InvalidPayload"


def test_everything_may_go_through_s3(courier: LocalCourier) -> None:
    connect = ConnectControl(courier.connect_url)
    connect.draft("contact-1", "contact-2")
    for contact in ("contact-1", "contact-2"):
        put(courier, json.dumps(with_text("short", contact)), ALWAYS_THROUGH_S3="yes")
    wait_until_empty(courier)
    assert sorted(email["contact_id"] for email in connect.sent) == ["contact-1", "contact-2"]


def test_an_object_that_is_gone_is_dead_lettered(courier: LocalCourier) -> None:
    courier.poller.pause()
    put(courier, json.dumps(with_text("short")), ALWAYS_THROUGH_S3="yes")
    for each in courier.aws.files.list_objects_v2(Bucket=courier.payload_bucket)["Contents"]:
        courier.aws.files.delete_object(Bucket=courier.payload_bucket, Key=each["Key"])
    courier.poller.resume()
    wait_until_empty(courier)
    (letter,) = letters(courier)
    assert letter["ReplyCourier.Reason"] == "PayloadNotFound"
