"""Listing and replaying on queues in memory: nothing is lost, doubled or held, whatever SQS refuses."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from courier.aws import Queues
from courier.choice import Choice
from courier.drain import Drain, Pace
from courier.filters import Filters
from courier.held_letters import Holding
from courier.replay import Replay
from local.aws import ROOT
from tests.fakes.function import refusal
from tests.fakes.queues import FakeQueues

QUEUES = Queues("replies", "dead")
NOW = 1_800_000_000


def holding(queues: FakeQueues, rate: float | None = None) -> Holding:
    return Holding(queues, "dead", print, rate)  # type: ignore[arg-type]  # the operations that are called


def drain(queues: FakeQueues, held: Holding, choice: Choice, work: Any = None) -> Drain:
    replay = Replay(queues, QUEUES, held)  # type: ignore[arg-type]  # as above
    return Drain(held, choice, work or replay, Pace(None))


def letters(count: int, **more: Any) -> FakeQueues:
    queues = FakeQueues(**more)
    for n in range(count):
        queues.put("dead", str(n), ClientToken=f"t-{n}", Reason="NotFound")
    return queues


def tokens(queues: FakeQueues, url: str) -> Counter[str]:
    messages = queues.queues.get(url, {}).values()
    return Counter(message["MessageAttributes"]["ClientToken"]["StringValue"] for message in messages)


# Listing


@pytest.mark.parametrize("duplicate", [False, True])
@pytest.mark.parametrize("count", [0, 1, 10, 137])
def test_each_letter_is_listed_once_and_given_back(count: int, duplicate: bool) -> None:
    queues = letters(count, duplicate=duplicate)
    with holding(queues) as held:
        assert sorted(int(letter.body) for letter in held) == list(range(count))
    assert not queues.hidden
    assert len(queues.queues.get("dead", {})) == count


def test_letters_whose_time_is_over_meanwhile_do_not_go_round_for_ever() -> None:
    queues = letters(25)
    seen = []
    with holding(queues) as held:
        for letter in held:
            seen.append(letter.id)
            queues.hidden.clear()
    assert len(set(seen)) == len(seen) == 25


def test_what_is_held_is_given_back_when_the_work_is_cut_off() -> None:
    queues = letters(50)

    def cut_off() -> None:
        with holding(queues) as held:
            for n, _ in enumerate(held):
                if n == 30:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert not queues.hidden


def test_what_cannot_be_given_back_is_said_and_hides_no_other_error() -> None:
    queues = letters(3)
    said: list[str] = []

    def refused(**_: Any) -> None:
        raise refusal(403, "AccessDenied")

    queues.change_message_visibility_batch = refused  # type: ignore[method-assign]

    def fail() -> None:
        with Holding(queues, "dead", said.append) as held:  # type: ignore[arg-type]
            next(iter(held))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert "show again within 60 s" in said[0]


MEMORY = """
import resource, sys
from tests.fakes.queues import FakeQueues
from courier.held_letters import Holding

class Endless(FakeQueues):
    "As many letters as are asked for, none of them kept."
    left = int(sys.argv[1])
    def get_queue_attributes(self, **_):
        return {"Attributes": {"ApproximateNumberOfMessages": str(self.left)}}
    def receive_message(self, **_):
        batch = range(max(0, self.left - 10), self.left)
        self.left -= len(batch)
        return {"Messages": [
            {"MessageId": f"{n:036}", "ReceiptHandle": f"{n:0400}", "Body": "b" * 10_000,
             "Attributes": {"SentTimestamp": "1800000000000"}} for n in batch]}

with Holding(Endless(), "dead", print) as held:
    count = sum(1 for _ in held)
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
"""Lists so many letters, with receipt handles of the length that SQS's have; prints count and MiB at the most."""


def test_memory_is_flat_between_1_000_and_100_000_letters() -> None:
    used = {}
    for count in (1_000, 20_000, 100_000):
        ran = subprocess.run(
            [sys.executable, "-c", MEMORY, str(count)], cwd=ROOT, check=True, capture_output=True, text=True
        )
        listed, megabytes = ran.stdout.split()
        assert int(listed) == count
        used[count] = float(megabytes)
    assert max(used.values()) - min(used.values()) < 20, used


# Replay


@pytest.mark.parametrize("misses", [False, True])
@pytest.mark.parametrize("count", [0, 1, 10, 333])
def test_a_replay_moves_every_letter(count: int, misses: bool) -> None:
    queues = letters(count, misses=misses)
    with holding(queues) as held:
        work = drain(queues, held, Choice(Filters(), NOW, None, replays=True))
        work.run(lambda _count: None)
    assert (work.done, work.left) == (count, [])
    assert tokens(queues, "replies") == Counter(f"t-{n}" for n in range(count))
    assert not queues.queues.get("dead")


def test_calls_are_full_batches() -> None:
    queues = letters(1_000)
    with holding(queues) as held:
        drain(queues, held, Choice(Filters(), NOW, None, replays=True)).run(lambda _count: None)
    calls = Counter(queues.calls)
    assert (calls["send"], calls["delete"]) == (100, 100)
    assert calls["receive"] <= 110


@pytest.mark.parametrize("seed", range(20))
def test_a_batch_that_half_fails_loses_and_doubles_nothing(seed: int) -> None:
    rng = Random(seed)
    fails: dict[tuple[str, str], bool] = {}
    queues = letters(95, refuse=lambda *entry: fails.setdefault(entry, rng.random() < 0.3))
    with holding(queues) as held:
        work = drain(queues, held, Choice(Filters(), NOW, None, replays=True))
        work.run(lambda _count: None)
    assert not queues.hidden
    refused = {body for (operation, body), refused in fails.items() if operation == "send" and refused}
    kept = {body for (operation, body), refused in fails.items() if operation == "delete" and refused}
    assert tokens(queues, "replies") == Counter(f"t-{n}" for n in range(95) if str(n) not in refused)
    assert tokens(queues, "dead") == Counter(f"t-{body}" for body in refused | kept)
    assert len(work.left) == len(refused | kept)
    assert work.done == 95 - len(work.left)

    fails.clear()
    queues.refuse = lambda *_: False
    with holding(queues) as held:
        drain(queues, held, Choice(Filters(), NOW, None, replays=True)).run(lambda _count: None)
    assert set(tokens(queues, "replies")) == {f"t-{n}" for n in range(95)}
    assert not queues.queues["dead"]


def test_nothing_is_deleted_before_it_is_sent() -> None:
    queues = letters(20)
    with holding(queues) as held:
        drain(queues, held, Choice(Filters(), NOW, None, replays=True)).run(lambda _count: None)
    sends = deletes = 0
    for call in queues.calls:
        sends += call == "send"
        deletes += call == "delete"
        assert deletes <= sends


def test_a_call_that_fails_ends_the_replay_and_gives_the_others_back() -> None:
    queues = letters(100)
    take = queues.send_message_batch
    calls: list[int] = []

    def third_fails(**request: Any) -> Any:
        calls.append(1)
        if len(calls) >= 3:
            raise refusal(500, "InternalFailure")
        return take(**request)

    queues.send_message_batch = third_fails  # type: ignore[method-assign]
    held = holding(queues)
    with pytest.raises(Exception, match="InternalFailure"), held:
        drain(queues, held, Choice(Filters(), NOW, None, replays=True)).run(lambda _count: None)
    assert not queues.hidden
    assert len(queues.queues["dead"]) == 80
    assert tokens(queues, "replies").total() == 20


def test_the_limit_holds_for_all_workers_together() -> None:
    queues = letters(100)
    with holding(queues) as held:
        work = drain(queues, held, Choice(Filters(), NOW, 25, replays=True))
        work.run(lambda _count: None)
    assert work.done == 25
    assert len(queues.queues["dead"]) == 75
    assert not queues.hidden


def test_a_reply_that_fails_again_at_once_does_not_go_round() -> None:
    queues = letters(30)
    with holding(queues) as held:
        replay = Replay(queues, QUEUES, held)  # type: ignore[arg-type]  # as above

        def and_back(chosen: Any) -> Any:
            left = replay(chosen)
            for letter_id, message in list(queues.queues["replies"].items()):
                queues.queues["dead"][letter_id] = queues.queues["replies"].pop(letter_id)
                assert message["MessageAttributes"]["Reason"]["StringValue"] == "NotFound"
            return left

        choice = Choice(Filters(), NOW, None, replays=True)
        work = Drain(held, choice, and_back, Pace(None))
        work.run(lambda _count: None)
    assert work.done == 30
    assert tokens(queues, "dead") == Counter(f"t-{n}" for n in range(30))
    assert not queues.hidden


def test_ctrl_c_lets_batches_on_their_way_come_to_their_end() -> None:
    queues = letters(200)

    def interrupt_after(batches: int) -> Callable[[int], None]:
        told: list[int] = []

        def tell(count: int) -> None:
            told.append(count)
            if len(told) == batches:
                raise KeyboardInterrupt

        return tell

    held = holding(queues)
    choice = Choice(Filters(), NOW, None, replays=True)
    work = Drain(held, choice, Replay(queues, QUEUES, held), Pace(None))  # type: ignore[arg-type]
    take = queues.send_message_batch

    told_to_stop: list[bool] = []

    def take_while_interrupted(**request: Any) -> Any:
        if queues.calls.count("send") >= 10:
            told_to_stop.append(work.stopped.wait(10))
        return take(**request)

    queues.send_message_batch = take_while_interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt), held:
        work.run(interrupt_after(3))
    assert all(told_to_stop)
    assert len(queues.queues["dead"]) >= 200 - 10 * (10 + 4)
    assert not queues.hidden
    assert tokens(queues, "replies") + tokens(queues, "dead") == Counter(f"t-{n}" for n in range(200))
