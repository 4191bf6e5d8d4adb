from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from handler.batch import any_received_before, deliver_all, in_order
from handler.delivery import Invocation, NotDoneError
from handler.message import Message
from tests.samples import record


def messages(*receive_counts: int) -> list[Message]:
    return [
        Message.from_record(record(message_id=f"id-{n}", receive_count=count)) for n, count in enumerate(receive_counts)
    ]


def ordered(*receive_counts: int, seed: int = 7) -> list[str]:
    return [message.id for message in in_order(messages(*receive_counts), Random(seed))]


def test_messages_received_for_the_first_time_keep_their_order() -> None:
    assert ordered(1, 1, 1) == ["id-0", "id-1", "id-2"]
    assert not any_received_before(messages(1, 1, 1))


def test_those_received_before_come_last() -> None:
    assert ordered(3, 1, 2)[0] == "id-1"
    assert any_received_before(messages(1, 1, 2))


@pytest.mark.parametrize("counts", [[2] * 10, [2, 3, 9, 99, 3, 3, 3, 3, 3, 3]])
def test_among_those_chance_decides_whatever_their_counts_so_that_each_soon_comes_before_a_killer(
    counts: list[int],
) -> None:
    in_front: set[str] = set()
    for seed in range(6):
        order = ordered(*counts, seed=seed)
        in_front |= set(order[: order.index("id-0")])
    assert len(in_front) == 9


def test_a_fault_of_ours_keeps_its_own_message_and_no_other() -> None:
    reported: list[object] = []

    def deliver(message: Message, _invocation: Invocation) -> None:
        if message.id == "id-1":
            raise KeyError("a fault of ours")
        if message.id == "id-2":
            raise NotDoneError

    observability = SimpleNamespace(failed=lambda event, message, bug: reported.append((event, message.id, type(bug))))
    outcomes = SimpleNamespace(tell=lambda _seconds_left: None)
    delivery: Any = SimpleNamespace(deliver=deliver, observability=observability, outcomes=outcomes, rng=Random(1))
    records = [record(message_id=f"id-{n}") for n in (1, 2, 3)]
    answer = deliver_all(records, lambda: 600, delivery)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "id-1"}, {"itemIdentifier": "id-2"}]}
    assert reported == [("reply_failed", "id-1", KeyError)]
