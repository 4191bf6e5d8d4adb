"""Numbers that the stack and the function hold apart, since neither may import the other, fit together."""

from hypothesis import given
from hypothesis import strategies as st

from handler import drafts, pacer, sender
from handler.services import connect
from infra import capacity
from infra.settings import Settings
from tests.infra.conftest import ARN


def test_the_functions_timeout_leaves_room_for_the_longest_send_after_a_batch_at_its_pace() -> None:
    assert max(connect.CALL_SECONDS + sender.ACT_SECONDS, drafts.DELIVERY_SECONDS) <= capacity.MARGIN_SECONDS


@given(st.floats(0.5, 500))
def test_an_invocation_never_ends_before_its_first_call_however_long_the_pause(send_rate: float) -> None:
    numbers = capacity.capacity(Settings(instance_arn=ARN, send_rate=send_rate))
    longest = max(pacer.LONGEST_INTERVAL, pacer.LONGEST_PAUSE)
    assert longest + max(connect.CALL_SECONDS + sender.ACT_SECONDS, drafts.DELIVERY_SECONDS) < numbers.function_timeout
