from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.dead_letter import Reason
from handler.message import Message
from handler.verdict import (
    ACCESS_DENIED_SECONDS,
    LAST_CHANCE_SECONDS,
    MAX_BACKOFF,
    AlreadySent,
    Cause,
    DeadLetter,
    HandBack,
    Retry,
    Sent,
    Verdict,
    backoff,
    final_verdict,
)
from tests.fakes.function import settings
from tests.samples import record

NOW = 1_800_000_000
WINDOW = settings().retry_seconds
RETENTION = settings().retention_seconds


class HighestDraw(Random):
    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


@pytest.mark.parametrize(
    ("receive_count", "longest"), [(1, 2), (2, 4), (3, 8), (6, 64), (9, 512), (10, 900), (11, 900), (1000, 900)]
)
def test_the_backoff_doubles_up_to_15_minutes(receive_count: int, longest: int) -> None:
    assert backoff(receive_count, HighestDraw()) == longest


def test_where_active_emails_are_full_it_starts_at_a_minute() -> None:
    assert backoff(1, HighestDraw(), Cause.ACTIVE_EMAILS_FULL) == 60


@given(st.integers(1, 10_000), st.randoms(use_true_random=False))
def test_the_jitter_is_full_and_never_above_the_limit_or_below_a_second(receive_count: int, rng: Random) -> None:
    assert 1 <= backoff(receive_count, rng) <= MAX_BACKOFF


def test_what_failed_together_does_not_come_back_together() -> None:
    rng = Random(7)
    assert len({backoff(10, rng) for _ in range(20)}) > 15


def test_the_last_chance_is_longer_than_any_backoff() -> None:
    assert MAX_BACKOFF < LAST_CHANCE_SECONDS


def final(verdict: Verdict, received_ago: float = 0, sent_ago: float = 0, *, has_time: bool = True) -> Verdict:
    message = Message.from_record(record(sent_at=NOW - sent_ago, first_received_at=NOW - received_ago))
    return final_verdict(verdict, message, settings(), NOW, has_time=has_time)


@pytest.mark.parametrize(
    ("cause", "received_ago", "is_over"),
    [
        (Cause.UNAVAILABLE, WINDOW, False),
        (Cause.UNAVAILABLE, WINDOW + 1, True),
        (Cause.UNEXPECTED, WINDOW + 1, True),
        (Cause.ACCESS_DENIED, ACCESS_DENIED_SECONDS, False),
        (Cause.ACCESS_DENIED, ACCESS_DENIED_SECONDS + 1, True),
    ],
)
def test_a_retry_becomes_a_dead_letter_once_its_window_is_over(
    cause: Cause, received_ago: float, *, is_over: bool
) -> None:
    retry = Retry(cause, "detail", "request-1")
    dead = DeadLetter(Reason.RETRIES_EXHAUSTED, "Last: detail", "request-1")
    assert final(retry, received_ago) == (dead if is_over else retry)


@pytest.mark.parametrize("sent_ago", [RETENTION - LAST_CHANCE_SECONDS, RETENTION - LAST_CHANCE_SECONDS + 1])
def test_at_the_last_chance_neither_a_retry_nor_a_hand_back_stays(sent_ago: float) -> None:
    is_last = sent_ago > RETENTION - LAST_CHANCE_SECONDS
    for verdict in (Retry(Cause.THROTTLED, "detail"), HandBack()):
        dead = final(verdict, sent_ago=sent_ago)
        assert isinstance(dead, DeadLetter) is is_last
        assert not is_last or (isinstance(dead, DeadLetter) and dead.connect_called is isinstance(verdict, Retry))


def test_without_time_for_the_dead_letter_queue_a_last_chance_is_handed_back() -> None:
    assert final(HandBack(), sent_ago=RETENTION, has_time=False) == HandBack()


@pytest.mark.parametrize("verdict", [Sent("c", "r"), AlreadySent("r"), DeadLetter(Reason.NOT_FOUND, "detail")])
def test_every_other_verdict_stays_as_it_is_at_any_age(verdict: Verdict) -> None:
    assert final(verdict, received_ago=WINDOW + 1, sent_ago=RETENTION) == verdict
