import json
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

from contract.dead_letter import Reason
from contract.payload import MAX_PAYLOAD_BYTES, pointer_message
from handler.message import Message
from handler.services.payload import CALL_SECONDS, Payloads
from handler.verdict import Cause, DeadLetter, HandBack, Retry
from tests.fakes.faults import refusal
from tests.fakes.s3 import FakeS3
from tests.samples import record

TEXT = json.dumps({"ContactId": "c-1"})


def message(bucket: str = "payloads", size: int = len(TEXT)) -> Message:
    body, attributes = pointer_message(bucket, "key", size)
    in_record = {
        name: {"dataType": "Number", "stringValue": value["StringValue"]} for name, value in attributes.items()
    }
    return Message.from_record({**record(), "body": body, "messageAttributes": in_record})


def read(s3: FakeS3, asked: Message | None = None, seconds_left: float = 600) -> Any:
    return Payloads("payloads", lambda: s3).read_body(asked or message(), seconds_left)  # type: ignore[arg-type, return-value] # the one operation


def holding(content: bytes = TEXT.encode()) -> FakeS3:
    return FakeS3({("payloads", "key"): content})


def test_a_body_in_s3_is_read() -> None:
    assert read(holding()) == TEXT


def test_s3_is_not_asked_for_a_body_in_the_message() -> None:
    def unused() -> Any:
        raise AssertionError

    plain = Message.from_record({**record(), "body": "{}"})
    assert Payloads("payloads", unused).read_body(plain, 0) == "{}"


@pytest.mark.parametrize(
    ("asked", "content"),
    [
        (message(bucket="another"), TEXT.encode()),
        (message(size=MAX_PAYLOAD_BYTES + 1), TEXT.encode()),
        (message(size=3), TEXT.encode()),
        (message(size=2), b"\xff\xfe"),
        (message(size=len(message().body)), message().body.encode()),
    ],
    ids=["another bucket", "too large", "another size", "not UTF-8", "a pointer to a pointer"],
)
def test_what_cannot_be_followed_is_dead_lettered(asked: Message, content: bytes) -> None:
    verdict = read(holding(content), asked)
    assert isinstance(verdict, DeadLetter)
    assert (verdict.reason, verdict.connect_called) == (Reason.INVALID_PAYLOAD, False)


def test_nothing_is_read_from_another_bucket_and_nothing_that_is_too_large() -> None:
    for asked in (message(bucket="another"), message(size=MAX_PAYLOAD_BYTES + 1)):
        s3 = holding()
        read(s3, asked)
        assert s3.calls == []


def test_an_object_that_is_gone_is_dead_lettered() -> None:
    verdict = read(FakeS3())
    assert isinstance(verdict, DeadLetter)
    assert verdict.reason is Reason.PAYLOAD_NOT_FOUND


@pytest.mark.parametrize(
    ("fails", "cause"),
    [
        (refusal(403, "AccessDenied"), Cause.ACCESS_DENIED),
        (refusal(503, "SlowDown"), Cause.PAYLOAD_UNAVAILABLE),
        (refusal(404, "NoSuchBucket"), Cause.PAYLOAD_UNAVAILABLE),
        (refusal(400, "KMS.DisabledException"), Cause.PAYLOAD_UNAVAILABLE),
        (ConnectTimeoutError(endpoint_url="x"), Cause.PAYLOAD_UNAVAILABLE),
        (EndpointConnectionError(endpoint_url="x"), Cause.PAYLOAD_UNAVAILABLE),
    ],
)
def test_what_may_pass_is_tried_again(fails: Exception, cause: Cause) -> None:
    verdict = read(FakeS3(fails=fails))
    assert isinstance(verdict, Retry)
    assert verdict.cause is cause


def test_half_an_answer_is_tried_again() -> None:
    s3 = holding()
    s3.cut = 3
    verdict = read(s3)
    assert isinstance(verdict, Retry)
    assert verdict.cause is Cause.PAYLOAD_UNAVAILABLE


def test_a_key_that_no_object_can_have_is_dead_lettered() -> None:
    verdict = read(FakeS3(fails=refusal(400, "KeyTooLongError")))
    assert isinstance(verdict, DeadLetter)
    assert verdict.reason is Reason.INVALID_PAYLOAD


def test_without_time_to_read_the_message_is_handed_back() -> None:
    s3 = holding()
    assert read(s3, seconds_left=CALL_SECONDS - 0.1) == HandBack()
    assert s3.calls == []
