"""What becomes of one message: asserted from Connect's own record, the queues, the log lines and the metrics."""

import json
import logging
import time
from typing import Any

import pytest

from contract.client_token import iso
from contract.dead_letter import Reason
from handler.observability import WITHHELD
from local.connect.control_client import ConnectControl
from local.waiting import until
from tests.aws.conftest import Courier
from tests.samples import ADDRESS, BODY, INSTANCE_ID, event, raw_message, record, reply, string_attribute

REFUSED = [
    # fault at Connect, how the reply is dead-lettered
    ({"fault": "invalid_request"}, "InvalidRequest"),
    ({"fault": "not_found"}, "NotFound"),
    ({"fault": "answer", "status": 413, "error": "RequestEntityTooLarge", "message": "no"}, "Refused"),
]
WAITED_FOR = [
    # fault at Connect, the cause in the log, the metric that counts it
    ("throttle", "Throttled", "AttemptsThrottled"),
    ("too_many_requests", "Throttled", "AttemptsThrottled"),
    ("quota_exceeded", "ActiveEmailsFull", None),
]
PASSES = [
    # fault at Connect, the cause in the log, the calls in one receive, the metric beside RepliesRetried
    ("attachment_not_approved", "AttachmentPending", 1, None),
    ("access_denied", "AccessDenied", 1, "AccessDenied"),
    ("expired_token", "AccessDenied", 1, "AccessDenied"),
    ("internal_error", "Unavailable", 2, None),
    ("unavailable", "Unavailable", 2, None),
    ("drop_before", "Unavailable", 2, None),
    ("garbage", "Unavailable", 2, None),
]


def recent(**changes: Any) -> dict[str, Any]:
    """A record that was received first just now."""
    return record(**{"sent_at": time.time() - 2, "first_received_at": time.time()} | changes)


def test_a_reply_goes_out_in_one_call_with_its_message_id_as_token(courier: Courier, connect: ConnectControl) -> None:
    message_id = courier.put()
    assert courier.receive_and_invoke() == []
    (call,) = connect.calls
    assert call["client_token"] == message_id
    assert call["body"] == {"InstanceId": INSTANCE_ID, "ClientToken": message_id, **reply()}
    assert call["accepted"]
    assert courier.dead_letters == []


def test_the_log_line_of_a_sent_reply_holds_ids_and_nothing_personal(courier: Courier, connect: ConnectControl) -> None:
    sent_at = time.time() - 2
    courier.invoke(event(recent(message_id="id-1", sent_at=sent_at)))
    longest = time.time() - sent_at
    (line,) = courier.log
    assert {
        name: line[name] for name in ("level", "message", "message_id", "client_token", "receive_count", "contact_id")
    } == {
        "level": "INFO",
        "message": "reply_sent",
        "message_id": "id-1",
        "client_token": "id-1",
        "receive_count": 1,
        "contact_id": "contact-1",
    }
    assert line["connect_request_id"] == connect.calls[0]["request_id"]
    assert 1.5 < line["seconds_since_enqueued"] < longest + 1
    assert courier.metrics["RepliesSent"] == 1
    assert 1.5 < courier.metrics["TimeToAccept"] < longest + 1


def test_the_token_attribute_wins_over_a_new_message_id(courier: Courier, connect: ConnectControl) -> None:
    courier.put(ClientToken="the-first-id")
    courier.receive_and_invoke()
    assert [call["client_token"] for call in connect.calls] == ["the-first-id"]


def test_the_same_message_twice_is_one_email(courier: Courier, connect: ConnectControl) -> None:
    twice = recent()
    assert courier.invoke(event(twice, twice)) == []
    assert [call["status"] for call in connect.calls] == [200, 200]
    assert len(connect.sent) == 1


@pytest.mark.parametrize(("fault", "reason"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_refusal_is_on_the_dead_letter_queue_within_one_receive(
    courier: Courier, connect: ConnectControl, fault: dict[str, Any], reason: str
) -> None:
    connect.fail(**fault)
    message_id = courier.put(case="7")
    assert courier.receive_and_invoke() == []
    (letter,) = courier.dead_letters
    assert json.loads(letter["body"]) == reply()
    assert (letter["MessageId"], letter["Reason"], letter["case"]) == (message_id, reason, "7")
    assert f"({connect.calls[0]['status']})" in letter["Detail"]
    assert letter["FirstTriedAt"].endswith("+00:00")
    assert len(connect.calls) == 1
    assert courier.metrics[f"RepliesDeadLettered.{reason}"] == 1
    (line,) = courier.log
    assert (line["message"], line["reason"], line["level"]) == ("reply_dead_lettered", reason, "ERROR")


@pytest.mark.parametrize(("fault", "cause", "metric"), WAITED_FOR)
def test_what_would_meet_every_reply_is_waited_for_in_the_same_receive(
    courier: Courier, connect: ConnectControl, fault: str, cause: str, metric: str | None
) -> None:
    connect.fail(fault, times=2)
    message_id = courier.put()
    assert courier.receive_and_invoke() == []
    assert [(line["message"], line.get("cause")) for line in courier.log] == [
        ("attempt_failed", cause),
        ("attempt_failed", cause),
        ("reply_sent", None),
    ]
    assert [call["client_token"] for call in connect.calls] == [message_id] * 3
    if metric:
        assert courier.metrics[metric] == 2


@pytest.mark.parametrize(("fault", "cause", "calls", "metric"), PASSES)
def test_what_may_pass_goes_back_to_the_queue_with_the_same_token(
    courier: Courier, connect: ConnectControl, fault: str, cause: str, calls: int, metric: str | None
) -> None:
    connect.fail(fault, times=calls)
    message_id = courier.put()
    assert courier.receive_and_invoke() == [message_id]
    line = courier.log[-1]
    assert (line["message"], line["cause"], line["level"]) == ("reply_retried", cause, "WARNING")
    assert courier.metrics["RepliesRetried"] == 1
    if metric:
        assert courier.metrics[metric] == 1
    assert courier.dead_letters == []
    assert [call["client_token"] for call in connect.calls] == [message_id] * calls
    assert connect.sent == []


def test_a_lost_answer_ends_in_one_email(courier: Courier, connect: ConnectControl) -> None:
    connect.fail("drop_after", times=1)
    courier.put()
    assert courier.receive_and_invoke() == []
    assert len(connect.sent) == 1
    assert len({call["client_token"] for call in connect.calls}) == 1


@pytest.mark.parametrize("repeat", ["same_contact", "conflict"])
def test_a_lost_answer_is_no_failure_whatever_connect_answers_to_a_repeat(
    courier: Courier, connect: ConnectControl, repeat: str
) -> None:
    connect.settings(repeat=repeat)
    connect.fail("garbage_after")
    connect.fail("drop_before")  # so that the reply is received again
    once_more = recent(message_id="id-1", receive_count=2)
    assert courier.invoke(event(recent(message_id="id-1"))) == ["id-1"]
    assert courier.invoke(event(once_more)) == []
    assert len(connect.sent) == 1
    assert courier.dead_letters == []
    expected = {"same_contact": "reply_sent", "conflict": "reply_already_sent"}
    assert [line["message"] for line in courier.log if line["level"] == "INFO"] == [expected[repeat]]


@pytest.mark.parametrize(
    "given", [{"ClientToken": "order-7"}, {"MessageId": "first"}, {"Reason": "mine", "ClientToken": "t"}]
)
def test_a_used_token_is_called_sent_only_if_it_is_the_messages_own_id(
    courier: Courier, connect: ConnectControl, given: dict[str, str]
) -> None:
    connect.settings(repeat="conflict")
    connect.fail("drop_after")
    assert courier.invoke(event(recent(receive_count=2, **given))) == []
    assert [call["status"] for call in connect.calls] == [None, 409]
    (letter,) = courier.dead_letters
    assert letter["Reason"] == "TokenAlreadyUsed"
    assert "may have been sent" in letter["Detail"]


def test_a_producers_token_used_by_another_message_is_dead_lettered_again_and_again_but_never_sent_twice(
    courier: Courier, connect: ConnectControl
) -> None:
    connect.settings(repeat="conflict")
    assert courier.invoke(event(recent(ClientToken="order-7"), recent(ClientToken="order-7"))) == []
    (letter,) = courier.dead_letters
    assert (letter["ClientToken"], letter["Reason"]) == ("order-7", "TokenAlreadyUsed")
    redriven = {name: letter[name] for name in ("ClientToken", "MessageId", "Reason", "Detail", "FirstTriedAt")}
    assert courier.invoke(event(recent(**redriven))) == []
    assert len(connect.sent) == 1
    assert {line["message"] for line in courier.log} == {"reply_sent", "reply_dead_lettered"}


def test_the_backoff_is_the_messages_visibility(courier: Courier, connect: ConnectControl) -> None:
    connect.fail("internal_error", times=None)
    message_id = courier.put()
    assert courier.receive_and_invoke() == [message_id]
    assert courier.log[-1]["retry_in_seconds"] in {1, 2}
    again = until(courier.receive, "the message is back after its backoff")
    assert (again[0]["messageId"], again[0]["attributes"]["ApproximateReceiveCount"]) == (message_id, "2")


def test_a_visibility_that_cannot_be_set_costs_only_time(courier: Courier, connect: ConnectControl) -> None:
    connect.fail("internal_error", times=None)
    assert courier.invoke(event(recent(message_id="id-1", receipt_handle="not a receipt"))) == ["id-1"]
    assert [line["message"] for line in courier.log][1:] == ["reply_retried", "visibility_change_failed"]


@pytest.mark.parametrize(
    ("fault", "age", "over"),
    [
        ("internal_error", 21_500, False),
        ("internal_error", 21_700, True),
        ("throttle", 21_700, True),
        ("access_denied", 1_700, False),
        ("access_denied", 1_900, True),
    ],
)
def test_the_retry_window_counts_from_the_first_receive(
    courier: Courier, connect: ConnectControl, fault: str, age: float, *, over: bool
) -> None:
    connect.fail(fault, times=None)
    old = recent(message_id="id-1", first_received_at=time.time() - age, sent_at=time.time() - 1_000_000)
    assert courier.invoke(event(old), seconds_left=41) == ([] if over else ["id-1"])
    letters = courier.dead_letters
    assert [letter["Reason"] for letter in letters] == (["RetriesExhausted"] if over else [])
    assert all(letter["Detail"].startswith("Last: ") for letter in letters)


def test_a_reply_that_waited_long_in_the_queue_is_sent_all_the_same(courier: Courier, connect: ConnectControl) -> None:
    assert courier.invoke(event(recent(sent_at=time.time() - 1_000_000))) == []
    assert len(connect.sent) == 1


def test_a_message_received_too_often_is_dead_lettered_before_anything_risky(
    courier: Courier, connect: ConnectControl
) -> None:
    assert courier.invoke(event(recent(receive_count=116, message_id="id-1"))) == []
    assert courier.invoke(event(recent(receive_count=117, message_id="id-2"))) == []
    assert [call["client_token"] for call in connect.calls] == ["id-1"]
    (letter,) = courier.dead_letters
    assert (letter["MessageId"], letter["Reason"]) == ("id-2", "RetriesExhausted")
    assert "117 times" in letter["Detail"]


def test_what_keeps_coming_back_long_after_its_window_is_not_tried_again(
    courier: Courier, connect: ConnectControl
) -> None:
    """Within a day; a reply that only met an outage, of Connect or of the function, is tried before that."""
    now = time.time()
    connect.draft("id-1", "id-2", "id-3")
    outage = recent(receive_count=90, message_id="id-1", first_received_at=now - 18 * 3600 + 60)
    paused = recent(receive_count=10, message_id="id-2", first_received_at=now - 20 * 3600)
    killer = recent(receive_count=11, message_id="id-3", first_received_at=now - 18 * 3600 - 60)
    for each in (outage, paused, killer):
        assert courier.invoke(event(each | {"body": json.dumps(reply(ContactId=each["messageId"]))})) == []
    assert [call["client_token"] for call in connect.calls] == ["id-1", "id-2"]
    (letter,) = courier.dead_letters
    assert letter["MessageId"] == "id-3"
    assert "may crash the function" in letter["Detail"]
    assert "FirstTriedAt" in letter


def test_after_an_outage_longer_than_the_window_a_letter_has_connects_last_words(
    courier: Courier, connect: ConnectControl
) -> None:
    connect.fail("unavailable", times=None)
    old = recent(receive_count=60, first_received_at=time.time() - 6.5 * 3600)
    assert courier.invoke(event(old)) == []
    (letter,) = courier.dead_letters
    assert letter["Reason"] == "RetriesExhausted"
    assert letter["Detail"].startswith("Last: ")
    assert "503" in letter["Detail"]


@pytest.mark.parametrize(("fault", "seconds_left"), [("internal_error", 600), ("throttle", 70), (None, 35)])
def test_a_reply_that_the_queue_would_delete_before_its_next_try_is_dead_lettered(
    courier: Courier, connect: ConnectControl, fault: str | None, seconds_left: float
) -> None:
    if fault:
        connect.fail(fault, times=None)
    ends = recent(sent_at=time.time() - 14 * 86_400 + 1_800, message_id="id-1")
    assert courier.invoke(event(ends), seconds_left=seconds_left) == []
    (letter,) = courier.dead_letters
    assert letter["Reason"] == "RetriesExhausted"
    assert "would have deleted it" in letter["Detail"]


@pytest.mark.parametrize(
    ("attributes", "is_sent"),
    [
        ({}, True),
        ({"FirstTriedAt": 6.9}, True),
        ({"FirstTriedAt": 7.1}, False),
        ({"FirstTriedAt": 7.1, "ForcedAt": 0.1}, False),  # an attribute of earlier versions
        ({"FirstTriedAt": "no time"}, False),
    ],
)
def test_a_reply_that_was_first_tried_more_than_seven_days_ago_is_not_sent(
    courier: Courier, connect: ConnectControl, attributes: dict[str, Any], *, is_sent: bool
) -> None:
    given = {n: iso(time.time() - v * 86_400) if isinstance(v, float) else v for n, v in attributes.items()}
    assert courier.invoke(event(recent(MessageId="first", **given))) == []
    assert [email["client_token"] for email in connect.sent] == (["first"] if is_sent else [])
    letters = courier.dead_letters
    assert [letter["Reason"] for letter in letters] == ([] if is_sent else ["TokenTooOld"])
    assert all(letter["FirstTriedAt"] == given["FirstTriedAt"] and "ForcedAt" not in letter for letter in letters)


def test_what_connect_was_not_asked_about_has_no_first_try(courier: Courier) -> None:
    assert courier.invoke(event(recent(body="no reply"), recent(body="no reply", receive_count=2))) == []
    assert sorted("FirstTriedAt" in letter for letter in courier.dead_letters) == [False, True]


def test_a_refusal_after_an_unanswered_try_says_that_the_reply_may_have_been_sent(
    courier: Courier, connect: ConnectControl
) -> None:
    connect.fail("drop_before")
    connect.fail("not_found")
    assert courier.invoke(event(recent())) == []
    connect.fail("not_found")
    assert courier.invoke(event(recent())) == []
    details = [letter["Detail"] for letter in courier.dead_letters]
    assert ["may have been sent" in detail for detail in details] == [True, False]


def test_group_and_trace_travel_to_the_dead_letter_queue(courier: Courier) -> None:
    bad = recent(body="no reply")
    bad["attributes"] |= {"MessageGroupId": "tenant-1", "AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793"}
    assert courier.invoke(event(bad)) == []
    (letter,) = courier.sqs.receive_message(
        QueueUrl=courier.dead_letter_queue_url, MessageSystemAttributeNames=["All"]
    )["Messages"]
    assert letter["Attributes"]["MessageGroupId"] == "tenant-1"
    assert letter["Attributes"]["AWSTraceHeader"] == "Root=1-5759e988-bd862e3fe1be46a994272793"


def test_a_message_received_too_often_is_not_even_read(courier: Courier) -> None:
    assert courier.invoke(event(recent(body="no reply", receive_count=117))) == []
    assert [letter["Reason"] for letter in courier.dead_letters] == ["RetriesExhausted"]


def test_a_message_that_the_dead_letter_queue_does_not_take_stays(courier: Courier) -> None:
    gone = courier.app.settings.dead_letter_queue_url
    courier.sqs.delete_queue(QueueUrl=gone)
    message_id = courier.put("no reply at all")
    try:
        assert courier.receive_and_invoke() == [message_id]
        assert [line["message"] for line in courier.log] == ["dead_letter_failed", "reply_retried"]
        assert courier.log[1]["cause"] == "DeadLetterQueueUnavailable"
    finally:
        courier.sqs.create_queue(QueueName="dead-letters")


def sized(size: int, message_id: str) -> dict[str, Any]:
    """A record whose sound body has that many bytes."""
    missing = size - len(json.dumps(reply(EmailMessage=raw_message(Body=""))))
    return recent(body=reply(EmailMessage=raw_message(Body="x" * missing)), message_id=message_id)


def test_a_reply_that_fills_the_message_is_sent_only_if_token_and_reason_have_room(
    courier: Courier, connect: ConnectControl
) -> None:
    ours = {"MessageId": "id-1", "Reason": max(Reason, key=len), "FirstTriedAt": iso(0)}
    room = sum(len(f"ReplyCourier.{name}String{value}") for name, value in ours.items())
    assert courier.invoke(event(sized(1_048_576 - room, "id-1"))) == []
    assert [call["client_token"] for call in connect.calls] == ["id-1"]
    assert courier.invoke(event(sized(1_048_577 - room, "id-2"))) == []
    assert [call["client_token"] for call in connect.calls] == ["id-1"]
    (letter,) = courier.dead_letters
    assert (letter["MessageId"], letter["Reason"]) == ("id-2", "InvalidReply")


def test_a_message_without_any_room_is_left_unsent_to_the_queues_own_redrive(
    courier: Courier, connect: ConnectControl
) -> None:
    assert courier.invoke(event(sized(1_048_576, "id-1"))) == ["id-1"]
    assert connect.calls == []
    assert courier.log[0]["error"] == "DoesNotFitError"
    assert courier.log[1]["retry_in_seconds"] == 60


@pytest.mark.parametrize(
    "attribute",
    [
        string_attribute("7") | {"dataType": "Number"},
        string_attribute("t" * 501),
        {"binaryValue": "dA==", "dataType": "Binary"},
    ],
)
def test_a_token_that_is_none_is_dead_lettered_unsent_and_unchanged(
    courier: Courier, connect: ConnectControl, attribute: dict[str, Any]
) -> None:
    assert courier.invoke(event(recent(ClientToken=attribute))) == []
    assert connect.calls == []
    (letter,) = courier.dead_letters
    assert letter["Reason"] == "InvalidClientToken"
    assert letter["ClientToken"] == (attribute.get("stringValue") or b"t")
    assert courier.log[0]["client_token"] == "(withheld)"


def test_a_token_attribute_that_is_empty_leaves_the_message_id_as_the_dead_letters_token(
    courier: Courier, connect: ConnectControl
) -> None:
    assert courier.invoke(event(recent(message_id="id-1", ClientToken=string_attribute("")))) == []
    assert connect.calls == []
    (letter,) = courier.dead_letters
    assert (letter["Reason"], letter["MessageId"]) == ("InvalidClientToken", "id-1")


def test_ten_attributes_of_its_own_do_not_keep_a_message_from_the_dead_letter_queue(
    courier: Courier, connect: ConnectControl
) -> None:
    connect.fail("not_found")
    message_id = courier.put(**{f"own-{n}": "x" for n in range(10)})
    assert courier.receive_and_invoke() == []
    (letter,) = courier.dead_letters
    assert (letter["MessageId"], letter["Reason"]) == (message_id, "NotFound")
    assert "own-9" in letter["Detail"]
    assert len(letter) == 1 + 10


def test_ids_that_could_be_an_address_are_withheld_from_the_log(courier: Courier, connect: ConnectControl) -> None:
    connect.draft("ada@customer.example")
    courier.invoke(event(recent(body=reply(ContactId="ada@customer.example"), ClientToken="for Ada Lovelace")))
    assert len(connect.sent) == 1
    assert (courier.log[0]["contact_id"], courier.log[0]["client_token"]) == ("(withheld)", "(withheld)")


def test_an_error_that_quotes_the_reply_reaches_the_dead_letter_but_no_log(
    courier: Courier, connect: ConnectControl
) -> None:
    connect.fail("answer", status=400, error="InvalidRequestException", message=f"Bad body: {BODY}")
    courier.invoke(event(recent()))
    (letter,) = courier.dead_letters
    assert BODY in letter["Detail"]
    assert BODY not in courier.output.getvalue()


@pytest.mark.parametrize("text", ["\ud83d\ude00 emoji", "quotes \" ' and \\", "\N{RIGHT-TO-LEFT OVERRIDE}", "<script>"])
def test_any_text_reaches_connect_bit_for_bit(courier: Courier, connect: ConnectControl, text: str) -> None:
    wanted = text.encode("utf-16", "surrogatepass").decode("utf-16")
    courier.put(reply(EmailMessage=raw_message(Subject=wanted, Body=wanted)))
    courier.receive_and_invoke()
    (call,) = connect.calls
    assert call["body"]["EmailMessage"]["RawMessage"]["Subject"] == wanted
    assert call["body"]["EmailMessage"]["RawMessage"]["Body"] == wanted


def test_a_function_set_to_debug_still_says_nothing_personal(
    courier: Courier, caplog: pytest.LogCaptureFixture
) -> None:
    """The check of tests/conftest.py reads what is captured here; botocore would log the whole request."""
    caplog.set_level(logging.DEBUG)
    courier.put()
    courier.put("no reply: Ada Lovelace")
    courier.receive_and_invoke()
    assert not [logged for logged in caplog.records if logged.name.startswith("botocore")]


NAMED = {"message_id", "client_token", "receive_count", "enqueued_at"}
EVENTS = {
    "reply_sent": {"contact_id", "connect_request_id", "seconds_since_enqueued"},
    "reply_already_sent": {"contact_id", "connect_request_id"},
    "reply_retried": {"contact_id", "cause", "connect_request_id", "retry_in_seconds"},
    "reply_dead_lettered": {"contact_id", "reason", "connect_request_id"},
    "reply_handed_back": {"retry_in_seconds"},
    "attempt_failed": {"cause", "connect_request_id", "retry_in_seconds"},
    "dead_letter_failed": {"error"},
    "visibility_change_failed": {"error"},
}


def test_each_log_event_has_its_listed_fields_and_no_others(courier: Courier, connect: ConnectControl) -> None:
    connect.settings(repeat="conflict")
    connect.fail("throttle", times=None, client_token="throttled")
    odd = {"receive_count": 2, "receipt_handle": "not a receipt"}
    courier.invoke(
        event(
            recent(message_id="sent"),
            recent(message_id="sent", **odd),
            recent(body={"ContactId": "contact-1"}, message_id="bad"),
        )
    )
    courier.invoke(
        event(recent(message_id="throttled", **odd), recent(message_id="after", receive_count=3)), seconds_left=41
    )
    courier.invoke(event(sized(1_048_576, "large")))
    powertools = set(courier.log[0]) - EVENTS["reply_sent"] - NAMED
    logged: dict[str, set[str]] = {}
    for line in courier.log:  # a body that is not a reply has no contact
        logged.setdefault(line["message"], set()).update(set(line) - powertools)
    assert logged == {name: fields | NAMED for name, fields in EVENTS.items()}


@pytest.mark.parametrize(
    ("body", "logged"),
    [
        (reply(ContactId="gone"), "gone"),
        (reply(ContactId=ADDRESS), WITHHELD),
        (reply(ContactId=7), None),
        ("[" * 100_000, None),
        ("7", None),
    ],
)
def test_a_reply_that_is_not_sent_is_logged_with_its_contact(courier: Courier, body: Any, logged: str | None) -> None:
    """People look for a reply by its contact."""
    courier.invoke(event(recent(body=body, sent_at=1_800_000_000.5)))
    (line,) = courier.log
    assert (line["message"], line.get("contact_id")) == ("reply_dead_lettered", logged)
    assert line["enqueued_at"] == "2027-01-15T08:00:00.500+00:00"
