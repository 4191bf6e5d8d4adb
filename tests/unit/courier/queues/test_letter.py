from dataclasses import replace
from typing import Any

from contract.client_token import iso
from courier.queues.letter import MOVED_BY_SQS, received
from tests.letters import NOW, letter

WEEK = 7 * 86_400


def test_a_letter_is_too_old_seven_days_after_its_first_try_however_often_it_came_back() -> None:
    tried = letter(sent_at=NOW + WEEK, Reason="NotFound", FirstTriedAt=iso(NOW))
    assert not tried.is_too_old(NOW + WEEK)
    assert tried.is_too_old(NOW + WEEK + 1)


def test_a_letter_that_was_never_tried_is_never_too_old_and_one_that_sqs_moved_counts_from_when_it_was_sent() -> None:
    assert not letter(Reason="InvalidReply").is_too_old(NOW + 100 * WEEK)
    assert not letter().is_too_old(NOW + WEEK)
    assert letter().is_too_old(NOW + WEEK + 1)
    assert replace(letter(Reason="InvalidReply"), was_moved=True).is_too_old(NOW + WEEK + 1)


def test_a_first_try_that_cannot_be_read_is_too_old() -> None:
    assert letter(Reason="NotFound", FirstTriedAt="yesterday").is_too_old(NOW)


def test_what_is_received_is_what_was_sent() -> None:
    values: Any = {
        "a": {"DataType": "Binary", "BinaryValue": b"\0\xff"},
        "b": {"DataType": "Number", "StringValue": "1"},
    }
    system = {"SentTimestamp": "1500", "MessageGroupId": "g", "AWSTraceHeader": "t", "DeadLetterQueueSourceArn": "a"}
    message: Any = {"MessageId": "i", "ReceiptHandle": "h", "Body": "b", "Attributes": system,
                    "MessageAttributes": values}  # fmt: skip
    one = received(message)
    assert (one.attributes, one.sent_at, one.reason) == (values, 1.5, MOVED_BY_SQS)
    assert one.system_attributes == {"MessageGroupId": "g", "AWSTraceHeader": "t"}
    assert one.was_moved
