"""Several records in one event: none affects another. The stack's batch size is 1, and the function takes any."""

import time
from typing import Any

import pytest

from local.connect.control_client import ConnectControl
from tests.aws.conftest import Courier
from tests.samples import event, record, reply


def batch(*bodies: Any) -> dict[str, Any]:
    """An event whose messages are id-1, id-2 … for contact-1, contact-2 …, unless a body is given."""
    return event(
        *(
            record(
                reply(ContactId=f"contact-{n}") if body is None else body,
                message_id=f"id-{n}",
                first_received_at=time.time(),
            )
            for n, body in enumerate(bodies, start=1)
        )
    )


def tokens(calls: list[dict[str, Any]]) -> list[str]:
    return [call["client_token"] for call in calls]


def test_one_bad_message_costs_its_neighbours_nothing(courier: Courier, connect: ConnectControl) -> None:
    assert courier.invoke(batch(None, "no reply", None)) == []
    assert tokens(connect.sent) == ["id-1", "id-3"]
    assert [letter["MessageId"] for letter in courier.dead_letters] == ["id-2"]


def test_one_that_fails_for_now_is_the_only_one_reported(courier: Courier, connect: ConnectControl) -> None:
    connect.fail("internal_error", times=None, client_token="id-2")
    assert courier.invoke(batch(None, None, None)) == ["id-2"]
    assert tokens(connect.sent) == ["id-1", "id-3"]


def test_a_batch_that_fails_whole_reports_each_message_and_raises_nothing(
    courier: Courier, connect: ConnectControl
) -> None:
    connect.fail("internal_error", times=None)
    assert courier.invoke(batch(None, None, None)) == ["id-1", "id-2", "id-3"]


def test_a_batch_in_which_all_are_bad_is_done(courier: Courier, connect: ConnectControl) -> None:
    assert courier.invoke(batch("x", "y", "z")) == []
    assert connect.calls == []
    assert len(courier.dead_letters) == 3


def test_an_event_without_records_is_done(courier: Courier) -> None:
    assert courier.invoke(event()) == []


@pytest.mark.parametrize("no_event", [{}, {"key1": "value1"}, {"Records": "none"}, [], None])
def test_what_is_no_sqs_event_gets_a_clear_error(courier: Courier, no_event: Any) -> None:
    with pytest.raises(TypeError, match="Send replies to the queue"):
        courier.invoke(no_event)


@pytest.mark.parametrize("fault", ["throttle", "quota_exceeded"])
def test_while_every_reply_would_meet_the_same_answer_nothing_else_is_sent(
    courier: Courier, connect: ConnectControl, fault: str
) -> None:
    connect.fail(fault, times=2, client_token="id-2")
    assert courier.invoke(batch(None, None, None)) == []
    assert tokens(connect.calls) == ["id-1", "id-2", "id-2", "id-2", "id-3"]


@pytest.mark.parametrize("fault", ["throttle", "quota_exceeded"])
def test_what_does_not_pass_in_time_is_retried_and_the_neighbours_are_handed_back_untouched(
    courier: Courier, connect: ConnectControl, fault: str
) -> None:
    connect.fail(fault, times=None, client_token="id-2")
    assert courier.invoke(batch(None, None, None, "no reply"), seconds_left=42) == ["id-2", "id-3"]
    assert tokens(connect.sent) == ["id-1"]
    assert "id-3" not in tokens(connect.calls)
    assert [letter["MessageId"] for letter in courier.dead_letters] == ["id-4"]
    ends = [line["message"] for line in courier.log if line["message"].startswith("reply_")]
    assert ends == ["reply_sent", "reply_retried", "reply_handed_back", "reply_dead_lettered"]


def test_a_connect_that_fails_is_asked_seldom(courier: Courier, connect: ConnectControl) -> None:
    connect.fail("internal_error", times=None)
    failed = courier.invoke(batch(*[None] * 10), seconds_left=110)
    assert len(failed) == 10
    assert len(connect.calls) == 7  # at 0, 0, 5, 15, 30, 45 and 60 seconds
    assert tokens(connect.calls) == ["id-1", "id-1", "id-2", "id-2", "id-3", "id-3", "id-4"]


def test_what_cannot_be_finished_in_time_is_handed_back_untouched(courier: Courier, connect: ConnectControl) -> None:
    assert courier.invoke(batch(None, None), seconds_left=39) == ["id-1", "id-2"]
    assert connect.calls == []
    assert courier.invoke(batch(None, None), seconds_left=41) == []


def test_what_needs_no_call_is_still_finished_in_less_time(courier: Courier) -> None:
    assert courier.invoke(batch("no reply"), seconds_left=29) == []
    assert courier.invoke(batch("no reply"), seconds_left=27) == ["id-1"]


def test_a_message_handed_back_for_lack_of_time_is_visible_at_once(courier: Courier) -> None:
    message_id = courier.put()
    assert courier.invoke(event(*courier.receive()), seconds_left=25) == [message_id]
    (again,) = courier.receive()
    assert again["attributes"]["ApproximateReceiveCount"] == "2"


def test_with_no_time_left_not_even_sqs_is_called(courier: Courier) -> None:
    message_id = courier.put()
    assert courier.invoke(event(*courier.receive()), seconds_left=1) == [message_id]
    assert courier.receive() == []


def test_deleting_is_left_to_lambda_also_after_an_earlier_receive(courier: Courier) -> None:
    for body in (reply(), "no reply"):
        courier.put(body)
    for message in courier.receive():
        courier.sqs.change_message_visibility(
            QueueUrl=courier.queue_url, ReceiptHandle=message["receiptHandle"], VisibilityTimeout=0
        )
    assert courier.receive_and_invoke() == []
    counts = courier.sqs.get_queue_attributes(QueueUrl=courier.queue_url, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessagesNotVisible"] == "2"
