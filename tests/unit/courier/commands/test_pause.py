from collections.abc import Iterator

import pytest

from courier.commands.pause import LOOK_EVERY, ended
from tests.fakes.function import FakeClock


def counts(*numbers: int) -> Iterator[int]:
    yield from numbers
    while True:
        yield numbers[-1]


@pytest.mark.parametrize(
    ("seen", "over", "waited"),
    [
        ((0,), True, LOOK_EVERY),  # SQS's count lags: one look is not enough
        ((3, 2, 0), True, 3 * LOOK_EVERY),
        ((0, 1, 0), True, 3 * LOOK_EVERY),
        ((4,), False, 102),  # what waits for its backoff is in flight as well
    ],
)
def test_a_pause_waits_until_nothing_is_in_flight_or_no_invocation_can_run_any_more(
    seen: tuple[int, ...], over: bool, waited: float
) -> None:
    clock, found = FakeClock(), counts(*seen)
    assert ended(lambda: next(found), 102, clock, clock.sleep) is over
    assert sum(clock.slept) == waited
