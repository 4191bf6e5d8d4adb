import math

import pytest

from contract.message_attributes import string
from contract.token_age import (
    FIRST_TRIED_AT,
    MEMORY_SECONDS,
    first_tried_at,
    iso,
    may_be_forgotten,
    seconds_of,
)

NOW = 1_800_000_000.0


def tried(text: str) -> float | None:
    return first_tried_at({FIRST_TRIED_AT: string(text)}, NOW)


def test_a_token_is_forgotten_after_seven_days_and_one_that_was_never_used_is_not() -> None:
    assert not may_be_forgotten(NOW, NOW + MEMORY_SECONDS)
    assert may_be_forgotten(NOW, NOW + MEMORY_SECONDS + 0.001)
    assert not may_be_forgotten(None, NOW)


def test_the_first_try_is_what_the_attribute_says_and_not_later_than_this_life() -> None:
    assert first_tried_at({}, NOW) is None
    assert tried(iso(NOW - 5)) == NOW - 5
    assert tried(iso(NOW + 5)) == NOW
    assert tried("9999-12-31T23:59:59+00:00") == NOW


@pytest.mark.parametrize(
    "text",
    ["yesterday", "", "2026-11-24T10:00:00", "2026-11-24", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59-23:59Z"],
)
def test_a_time_that_cannot_be_read_was_long_ago(text: str) -> None:
    assert seconds_of(text) is None
    assert tried(text) == -math.inf
    assert may_be_forgotten(tried(text), NOW)


def test_any_time_of_the_calendar_can_be_read_and_written() -> None:
    for text in ("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59+23:59"):
        seconds = seconds_of(text)
        assert seconds is None or iso(min(seconds, NOW))
