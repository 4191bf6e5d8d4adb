from typing import Any

import pytest

from handler.message import Message
from tests.samples import record


def received(count: int, **attributes: Any) -> Message:
    return Message.from_record(record(receive_count=count, **attributes))


@pytest.mark.parametrize(
    ("message", "possible"),
    [
        (received(1), True),  # the token is the message's own id: nobody else has it
        (received(1, ClientToken="order-7"), False),  # a producer's, seen first: another reply may have used it
        (received(2, ClientToken="order-7"), True),  # an earlier receive of this message may have sent it
        (received(1, ClientToken="id-0", Reason="RetriesExhausted"), True),  # a dead letter that comes back
        (received(1, ClientToken="order-7", Reason="TokenAlreadyUsed"), False),  # and one for which nothing is new
    ],
    ids=["own id", "producer's", "received before", "redriven", "redriven conflict"],
)
def test_whether_a_used_token_can_only_have_been_used_by_this_reply(message: Message, *, possible: bool) -> None:
    assert message.may_have_been_sent() is possible
