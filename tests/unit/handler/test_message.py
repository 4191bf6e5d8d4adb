from typing import Any

import pytest

from contract.client_token import iso
from handler.message import Message
from tests.samples import record

SENT, FIRST_RECEIVED = 1_800_000_000, 1_800_000_001


def received(count: int = 1, **attributes: Any) -> Message:
    return Message.from_record(record(receive_count=count, **attributes))


@pytest.mark.parametrize(
    ("message", "token_is_message_id"),
    [
        (received(1), True),
        (received(9), True),
        (received(1, Reason="NotFound"), True),  # an attribute that a producer can set says nothing
        (received(1, ClientToken="order-7"), False),
        (received(1, MessageId="id-0"), False),
    ],
)
def test_only_a_message_without_a_token_attribute_has_its_own_id_as_token(
    message: Message, *, token_is_message_id: bool
) -> None:
    assert message.token_is_message_id is token_is_message_id


def test_it_may_have_been_tried_since_its_first_receive_or_since_what_it_says() -> None:
    assert received(1).tried_since is None
    assert received(2).tried_since == FIRST_RECEIVED
    assert received(2, FirstTriedAt=iso(SENT - 60)).tried_since == SENT - 60
    assert received(1, FirstTriedAt=iso(SENT + 60)).tried_since == SENT
    assert received(1, FirstTriedAt="yesterday").tried_since == float("-inf")


def test_the_group_and_the_trace_are_kept_and_nothing_else_of_the_system() -> None:
    event = record()
    event["attributes"] |= {"MessageGroupId": "tenant-1", "AWSTraceHeader": "Root=1-2-3", "SenderId": "x"}
    assert Message.from_record(event).system_attributes == {
        "MessageGroupId": "tenant-1",
        "AWSTraceHeader": "Root=1-2-3",
    }
