"""Replaying on queues in memory: nothing is lost, doubled or held, whatever SQS refuses."""

import signal
from collections import Counter
from random import Random
from typing import Any

import pytest

from courier.replay import ReplayOptions, ReplayRun
from courier.selection import Filters, Selection
from tests.fakes.faults import refusal
from tests.fakes.function import FakeClock
from tests.fakes.sqs import FakeSqs, letters
from tests.letters import account_on

NOW = 1_800_000_000


def a_run(
    queues: FakeSqs, *, limit: int | None = None, rate: float | None = None, clock: FakeClock | None = None
) -> ReplayRun:
    clock = clock or FakeClock()
    selection = Selection(Filters(), NOW, limit, for_replay=True)
    options = ReplayOptions(rate)
    return ReplayRun(account_on(queues), selection, options, clock=clock, sleep=clock.sleep, now=lambda: NOW)


def replay(queues: FakeSqs, **options: Any) -> ReplayRun:
    run = a_run(queues, **options)
    run.replay_remaining()
    return run


def tokens(queues: FakeSqs, url: str) -> Counter[str]:
    messages = queues.queues.get(url, {}).values()
    return Counter(message["MessageAttributes"]["ClientToken"]["StringValue"] for message in messages)


@pytest.mark.parametrize("misses", [False, True])
@pytest.mark.parametrize("count", [0, 1, 10, 333])
def test_a_replay_moves_every_letter(count: int, misses: bool) -> None:
    queues = letters(count, misses=misses)
    work = replay(queues)
    assert (work.outcomes.replayed, work.failures) == (count, [])
    assert tokens(queues, "replies") == Counter(f"t-{n}" for n in range(count))
    assert not queues.queues.get("dead")


def test_calls_are_full_batches() -> None:
    queues = letters(1_000)
    replay(queues)
    calls = Counter(queues.calls)
    assert (calls["send_message_batch"], calls["delete_message_batch"]) == (100, 100)
    assert calls["receive_message"] <= 110


@pytest.mark.parametrize("seed", range(20))
def test_a_batch_that_half_fails_loses_and_doubles_nothing(seed: int) -> None:
    rng = Random(seed)
    fails: dict[tuple[str, str], bool] = {}
    queues = letters(95, refuse=lambda *entry: fails.setdefault(entry, rng.random() < 0.3))
    work = replay(queues)
    assert not queues.hidden
    refused = {body for (operation, body), refused in fails.items() if operation == "send" and refused}
    kept = {body for (operation, body), refused in fails.items() if operation == "delete" and refused}
    assert tokens(queues, "replies") == Counter(f"t-{n}" for n in range(95) if str(n) not in refused)
    assert tokens(queues, "dead") == Counter(f"t-{body}" for body in refused | kept)
    assert len(work.failures) == len(refused | kept)
    assert work.outcomes.replayed == 95 - len(refused)

    fails.clear()
    queues.refuse = lambda *_: False
    replay(queues)
    assert set(tokens(queues, "replies")) == {f"t-{n}" for n in range(95)}
    assert not queues.queues["dead"]


def test_nothing_is_deleted_before_it_is_sent() -> None:
    queues = letters(20)
    replay(queues)
    sends = deletes = 0
    for call in queues.calls:
        sends += call == "send_message_batch"
        deletes += call == "delete_message_batch"
        assert deletes <= sends


def test_a_call_that_fails_ends_the_replay_and_gives_the_others_back() -> None:
    queues = letters(100)

    def third_fails(operation: str) -> None:
        if operation == "send_message_batch" and queues.calls.count(operation) >= 3:
            raise refusal(500, "InternalFailure")

    queues.before = third_fails
    with pytest.raises(Exception, match="InternalFailure"):
        replay(queues)
    assert not queues.hidden
    assert len(queues.queues["dead"]) == 80
    assert tokens(queues, "replies").total() == 20


def test_a_limit_holds() -> None:
    queues = letters(100)
    work = replay(queues, limit=25)
    assert work.outcomes.replayed == 25
    assert len(queues.queues["dead"]) == 75
    assert not queues.hidden


def test_a_reply_that_fails_again_at_once_does_not_go_round() -> None:
    queues = letters(30)

    def and_back(operation: str) -> None:
        if operation != "delete_message_batch":
            return
        for letter_id, message in list(queues.queues["replies"].items()):
            queues.queues["dead"][letter_id] = queues.queues["replies"].pop(letter_id)
            assert message["MessageAttributes"]["ReplyCourier.MessageId"]["StringValue"]

    queues.before = and_back
    work = replay(queues)
    assert work.outcomes.replayed == 30
    assert tokens(queues, "dead") == Counter(f"t-{n}" for n in range(30))
    assert not queues.hidden


@pytest.mark.parametrize("operation", ["receive_message", "send_message_batch", "delete_message_batch"])
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_in_the_middle_of_a_call_lets_the_batch_come_to_its_end(operation: str) -> None:
    queues = letters(200)

    def interrupt(ended: str) -> None:
        if ended == operation and queues.calls.count(operation) == 3:
            signal.raise_signal(signal.SIGINT)

    queues.after = interrupt
    run = a_run(queues)
    with pytest.raises(KeyboardInterrupt):
        run.replay_remaining()
    assert not queues.hidden
    assert len(queues.queues["dead"]) in {170, 180}
    assert run.outcomes.replayed == len(queues.queues["replies"])
    assert tokens(queues, "replies") + tokens(queues, "dead") == Counter(f"t-{n}" for n in range(200))


def test_a_rate_spreads_letters_evenly_a_seconds_worth_at_once() -> None:
    queues, clock = letters(7), FakeClock()
    replay(queues, rate=2, clock=clock)
    assert sum(clock.slept) == pytest.approx(3)
    assert queues.calls.count("send_message_batch") == 4


def test_a_rate_below_one_a_second_sends_one_at_a_time() -> None:
    queues, clock = letters(3), FakeClock()
    replay(queues, rate=0.5, clock=clock)
    assert sum(clock.slept) == pytest.approx(4)
