"""The deployed whole: the zip that CDK put there, run by AWS's runtime client, fed by the mapping's poller."""

import json
from typing import Any

import pytest

from local.connect.control_client import ConnectControl
from local.demo import contact_of, samples
from local.drain import wait_until_empty
from local.sqs import counts_of, messages, redrive, token_of
from local.system import LocalCourier
from local.waiting import until
from tests.samples import ADDRESS, SUBJECT, reply


@pytest.fixture
def connect(courier: LocalCourier) -> ConnectControl:
    return ConnectControl(courier.connect_url)


def put(courier: LocalCourier, body: Any, **attributes: str) -> str:
    return courier.aws.sqs.send_message(
        QueueUrl=courier.queue_url,
        MessageBody=body if isinstance(body, str) else json.dumps(body),
        MessageAttributes={n: {"DataType": "String", "StringValue": v} for n, v in attributes.items()},
    )["MessageId"]


def events_of(courier: LocalCourier, message_id: str) -> list[dict[str, Any]]:
    lines = [json.loads(line.line) for line in courier.logs]
    return [line for line in lines if line.get("message_id") == message_id]


def test_a_plain_reply_goes_through_in_one_call_with_its_message_id_as_token(
    courier: LocalCourier, connect: ConnectControl
) -> None:
    connect.draft("contact-1")
    message_id = put(courier, reply())
    wait_until_empty(courier)
    (call,) = connect.calls
    assert (call["client_token"], call["status"], call["accepted"]) == (message_id, 200, True)
    assert {name: call["body"][name] for name in reply()} == reply()
    (line,) = events_of(courier, message_id)
    assert (line["message"], line["receive_count"]) == ("reply_sent", 1)


def test_a_refused_reply_is_dead_lettered_within_one_receive_and_keeps_its_token_when_redriven(
    courier: LocalCourier, connect: ConnectControl
) -> None:
    message_id = put(courier, reply(ContactId="not-yet-there"), case="7")
    until(lambda: counts_of(courier.aws.sqs, courier.dead_letter_queue_url) == (1, 0), "a dead letter is there")
    wait_until_empty(courier)  # the log line comes after the letter
    (line,) = events_of(courier, message_id)
    assert (line["message"], line["reason"], line["receive_count"]) == ("reply_dead_lettered", "NotFound", 1)
    connect.draft("not-yet-there")
    ((new_id, token),) = redrive(courier.aws.sqs, courier.dead_letter_queue_url, courier.queue_url).items()
    wait_until_empty(courier)
    assert new_id != message_id
    assert token == message_id
    assert [(call["client_token"], call["status"]) for call in connect.calls] == [(message_id, 404), (message_id, 200)]
    assert len(connect.sent) == 1


def test_a_reply_whose_answer_was_lost_is_sent_once(courier: LocalCourier, connect: ConnectControl) -> None:
    connect.draft("contact-1")
    connect.fail("drop_after", times=2)  # both tries of the first call
    message_id = put(courier, reply())
    wait_until_empty(courier)
    assert len(connect.sent) == 1
    assert {call["client_token"] for call in connect.calls} == {message_id}
    assert [line["message"] for line in events_of(courier, message_id)] == [
        "attempt_failed",
        "reply_retried",
        "reply_sent",
    ]


def test_every_sample_ends_in_one_place_and_nothing_personal_is_said_of_it(
    courier: LocalCourier, connect: ConnectControl
) -> None:
    tokens = []
    for sample in samples():
        connect.draft(*filter(None, [contact_of(sample)]))
        sent = courier.aws.sqs.send_message(
            QueueUrl=courier.queue_url, MessageBody=sample.body, MessageAttributes=sample.attributes
        )
        own = sample.attributes.get("ClientToken")
        tokens.append(own["StringValue"] if own else sent["MessageId"])
    wait_until_empty(courier)
    letters = messages(courier.aws.sqs, courier.dead_letter_queue_url)
    dead = [token_of(letter) for letter in letters]
    assert sorted(dead + [email["client_token"] for email in connect.sent]) == sorted(tokens)
    assert len(dead) == 7


def test_an_answer_that_quotes_the_reply_gets_into_the_dead_letter_and_nowhere_else(
    courier: LocalCourier, connect: ConnectControl
) -> None:
    """Lines and traces are printed by the fixture, and read by the check of tests/conftest.py."""
    connect.draft("contact-1")
    connect.fail("answer", status=400, error="InvalidRequestException", message=f"Not for {ADDRESS}: {SUBJECT}")
    put(courier, reply())
    wait_until_empty(courier)
    (letter,) = messages(courier.aws.sqs, courier.dead_letter_queue_url)
    assert SUBJECT in letter["MessageAttributes"]["ReplyCourier.Detail"]["StringValue"]


def test_no_log_line_stands_there_twice_and_every_one_is_json(courier: LocalCourier, connect: ConnectControl) -> None:
    connect.draft("contact-1")
    message_id = put(courier, reply())
    wait_until_empty(courier)
    assert len([line for line in courier.logs if message_id in line.line]) == 1
    for line in map(json.loads, (line.line for line in courier.logs)):
        # Lambda's own reports, metrics, and log lines of the function's own logger: no library speaks.
        assert line.get("type") == "platform.report" or "_aws" in line or line["service"] == "reply-courier"


def test_each_call_to_connect_is_traced_with_its_verdict_and_nothing_personal(
    courier: LocalCourier, connect: ConnectControl
) -> None:
    connect.draft("contact-1")
    seen = len(courier.traces)
    put(courier, reply())
    put(courier, reply(ContactId="unknown"))
    wait_until_empty(courier)

    def verdicts() -> list[str]:
        calls = [document for document in courier.traces[seen:] if document["name"] == "StartOutboundEmailContact"]
        return sorted(call["annotations"]["verdict"] for call in calls)

    until(lambda: verdicts() == ["DeadLetter", "Sent"], "both calls are traced")


def test_a_surge_is_sent_whole_and_each_reply_once(courier: LocalCourier, connect: ConnectControl) -> None:
    contacts = [f"surge-{n}" for n in range(40)]
    connect.draft(*contacts)
    tokens = {put(courier, reply(ContactId=contact)) for contact in contacts}
    wait_until_empty(courier)
    assert {email["client_token"] for email in connect.sent} == tokens
    assert len(connect.sent) == len(tokens)
    assert list(messages(courier.aws.sqs, courier.dead_letter_queue_url)) == []
