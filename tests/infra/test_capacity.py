from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier import dead_letters
from handler.verdict import backoff
from infra.capacity import Capacity, capacity
from infra.settings import Settings
from tests.infra.conftest import ARN

settings = st.builds(
    lambda send_rate, retry_hours: Settings(instance_arn=ARN, send_rate=send_rate, retry_hours=retry_hours),
    send_rate=st.integers(1, 500) | st.floats(0.5, 500),
    retry_hours=st.integers(1, 48) | st.floats(0, 48, exclude_min=True),
)


def test_the_numbers_of_the_default_settings() -> None:
    assert capacity(Settings(instance_arn=ARN)) == Capacity(
        concurrency=3,
        share=2 / 3,
        burst=2,
        batch_size=1,
        function_timeout=152,
        visibility_timeout=912,
        retry_seconds=21600,
        max_receives=308,
        crash_loop_seconds=64_800,
        max_receive_count=1000,
        retention_seconds=1_209_600,
    )


@pytest.mark.parametrize(
    ("send_rate", "concurrency", "share", "burst", "function_timeout"),
    [
        (0.5, 2, 0.25, 1, 154),
        (1, 2, 0.5, 1, 152),
        (2.5, 4, 0.625, 1, 152),
        (5, 8, 0.625, 1, 152),
        (500, 750, 2 / 3, 1, 152),
    ],
)
def test_the_rate_decides_environments_bursts_and_timeouts(
    send_rate: float, concurrency: int, share: float, burst: int, function_timeout: int
) -> None:
    numbers = capacity(Settings(instance_arn=ARN, send_rate=send_rate))

    assert numbers.concurrency == concurrency
    assert numbers.share == pytest.approx(share)
    assert numbers.burst == burst
    assert numbers.function_timeout == function_timeout


@given(settings)
def test_all_environments_together_send_at_the_rate_and_no_faster(chosen: Settings) -> None:
    numbers = capacity(chosen)
    assert numbers.share * numbers.concurrency == pytest.approx(chosen.send_rate)
    assert numbers.share <= 1 / 1.5  # a reply is planned at 1.5 s, and replies follow each other


@given(settings)
def test_all_environments_together_exceed_the_quotas_burst_by_at_most_a_call(chosen: Settings) -> None:
    numbers = capacity(chosen)
    assert numbers.burst >= 1
    assert numbers.burst == 1 or numbers.burst * numbers.concurrency <= 2.5 * chosen.send_rate + 1


@given(settings)
def test_a_message_never_shares_an_invocation_with_another(chosen: Settings) -> None:
    assert capacity(chosen).batch_size == 1


@given(settings)
def test_every_number_is_one_that_aws_takes(chosen: Settings) -> None:
    numbers = capacity(chosen)
    assert 2 <= numbers.concurrency <= 1000
    assert 1 <= numbers.function_timeout <= 900
    assert numbers.visibility_timeout <= 43_200
    assert numbers.max_receive_count == 1000


@given(settings)
def test_a_batch_at_its_pace_and_one_bad_delivery_fit_into_the_function_timeout(chosen: Settings) -> None:
    numbers = capacity(chosen)
    assert numbers.batch_size / numbers.share + 60 + 90 <= numbers.function_timeout
    assert numbers.visibility_timeout == 6 * numbers.function_timeout


@given(settings, st.integers())
def test_no_reply_runs_out_of_receives_before_its_retry_window_ends(chosen: Settings, seed: int) -> None:
    """Played through with the handler's own backoff, for a reply that fails at once each time it is received."""
    numbers, rng = capacity(chosen), Random(seed)
    elapsed, receives = 0.0, 1
    while elapsed < numbers.retry_seconds:
        elapsed += backoff(receives, rng)
        receives += 1
    assert receives < numbers.max_receives < numbers.max_receive_count


def test_courier_counts_with_the_retention_that_is_deployed() -> None:
    assert capacity(Settings(instance_arn=ARN)).retention_seconds == dead_letters.RETENTION_SECONDS
