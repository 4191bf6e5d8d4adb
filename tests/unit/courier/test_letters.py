from typing import Any

from courier.letters import MOVED_BY_SQS, received
from tests.letters import NOW, letter


def test_a_letter_is_too_old_seven_days_after_the_earlier_of_its_times() -> None:
    week = 7 * 86_400
    assert not letter(sent_at=NOW).is_too_old(NOW + week)
    assert letter(sent_at=NOW).is_too_old(NOW + week + 1)
    assert letter(sent_at=NOW + week, DeadLetteredAt="2027-01-15T07:59:59+00:00").is_too_old(NOW + week)
    assert not letter(sent_at=NOW, DeadLetteredAt="no time").is_too_old(NOW + week)


def test_what_is_received_is_what_was_sent() -> None:
    values: Any = {
        "a": {"DataType": "Binary", "BinaryValue": b"\0\xff"},
        "b": {"DataType": "Number", "StringValue": "1"},
    }
    message: Any = {"MessageId": "i", "ReceiptHandle": "h", "Body": "b", "Attributes": {"SentTimestamp": "1500"},
                    "MessageAttributes": values}  # fmt: skip
    one = received(message)
    assert (one.attributes, one.sent_at, one.reason) == (values, 1.5, MOVED_BY_SQS)
