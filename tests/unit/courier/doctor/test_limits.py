from __future__ import annotations

import pytest

from courier.doctor import limits
from courier.doctor.limits import Quota

HOUR = 3_600.0


@pytest.mark.parametrize(
    ("waiting", "oldest", "gone_in", "verdict", "seen"),
    [
        (0, None, 0.0, "good", "none waits"),
        (1, 60.0, 0.5, "good", "1 waits, the oldest for 1m"),
        (5, 12.5 * HOUR, 2.5, "bad", "5 wait, the oldest for 12h; drafts expire"),
        (100_000, 60.0, 50_000.0, "bad", "gone in about 13h"),
        (5, 60.0, None, "good", "the oldest for 1m"),  # paused: nobody knows when they are gone
        (5, None, 2.5, "unknown", "CloudWatch has no age yet"),
    ],
)
def test_replies_are_held_against_the_life_of_drafts(
    waiting: int, oldest: float | None, gone_in: float | None, verdict: str, seen: str
) -> None:
    found = limits.replies(waiting, oldest, gone_in, None)
    assert found.verdict == verdict
    assert seen in found.seen


def test_why_an_age_is_not_known_is_told() -> None:
    assert "cloudwatch:Get" in limits.replies(1, None, None, "cloudwatch:GetMetricStatistics failed").seen


def test_letters_near_their_end_are_bad_each_kind_with_its_command() -> None:
    found = limits.dead_letters(9, 2, 3, not_seen=False)
    assert [(finding.verdict, finding.advice) for finding in found] == [
        ("bad", "courier dlq renew"),
        ("bad", "mend and replay them: courier dlq list --older-than 5d"),
    ]


def test_letters_that_could_not_be_read_are_unknown() -> None:
    (found,) = limits.dead_letters(9, 0, 0, not_seen=True)
    assert found.verdict == "unknown"


@pytest.mark.parametrize(("count", "seen"), [(0, "none"), (7, "7 on the queue, none near its end: courier dlq groups")])
def test_letters_with_time_left_are_good(count: int, seen: str) -> None:
    (found,) = limits.dead_letters(count, 0, 0, not_seen=False)
    assert (found.verdict, found.seen) == ("good", seen)


@pytest.mark.parametrize(
    ("quota", "rate", "verdict", "seen"),
    [
        (Quota("Rate", 2), 2, "good", "the account has 2 a second, sendRate is 2"),
        (Quota("Rate", 2), 5, "bad", "the account has 2 a second, sendRate is 5"),
        (Quota("Rate", 120, 60), 2, "good", "the account has 2 a second, sendRate is 2"),
        (Quota("Rate", 60, 60), 2, "bad", "the account has 1 a second, sendRate is 2"),
        (Quota("Rate", 2, is_default=True), 2, "unknown", "AWS's default is 2 a second"),
        (Quota("Rate", 2, is_default=True), 5, "bad", "AWS's default is 2 a second, sendRate is 5"),
        (Quota("Rate", 2), None, "unknown", "does not name its sendRate"),
        (None, 2, "unknown", "does not list one for StartOutboundEmailContact"),
    ],
)
def test_a_quota_is_held_against_the_rate(quota: Quota | None, rate: float | None, verdict: str, seen: str) -> None:
    found = limits.quota(quota, rate)
    assert found.verdict == verdict
    assert seen in found.seen


@pytest.mark.parametrize(
    ("name", "is_it"),
    [
        ("Rate of StartOutboundEmailContact API requests", True),
        ("Rate of Start Outbound Email Contact API requests", True),
        ("Burst of StartOutboundEmailContact API requests", False),
        ("Rate of StartOutboundVoiceContact API requests", False),
    ],
)
def test_the_quota_is_found_by_its_name(name: str, is_it: bool) -> None:
    assert Quota(name, 2).is_the_rate is is_it


@pytest.mark.parametrize(
    ("most", "unreserved", "reserved", "verdict"),
    [
        (2, 10, None, "good"),
        (12, 10, None, "bad"),
        (2, 10, 2, "good"),
        (2, 10, 1, "bad"),
        (2, 10, 0, "bad"),
        (2, 0, 5, "good"),
        (None, 10, None, "unknown"),
    ],
)
def test_concurrency_is_what_is_reserved_or_else_left(
    most: int | None, unreserved: int, reserved: int | None, verdict: str
) -> None:
    assert limits.concurrency(most, unreserved, reserved).verdict == verdict
