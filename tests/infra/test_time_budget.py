"""Numbers that the stack and the function hold apart, since neither may import the other, fit together."""

from handler import connect, delivery
from infra import capacity


def test_the_functions_timeout_leaves_room_for_the_longest_send_after_a_batch_at_its_pace() -> None:
    assert connect.CALL_SECONDS + delivery.ACT_SECONDS <= capacity.MARGIN_SECONDS
