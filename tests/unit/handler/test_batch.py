from random import Random
from typing import Any

from handler.batch import Batch
from tests.samples import record


def batch(*receive_counts: int, seed: int = 7) -> Batch:
    records = [record(message_id=f"id-{n}", receive_count=count) for n, count in enumerate(receive_counts)]
    return Batch.of(records, lambda: 600, Random(seed))


def ids(given: Batch) -> list[Any]:
    return [each["messageId"] for each in given.records]


def test_messages_received_for_the_first_time_keep_their_order() -> None:
    assert ids(batch(1, 1, 1)) == ["id-0", "id-1", "id-2"]
    assert not batch(1, 1, 1).careful


def test_those_received_least_often_come_first() -> None:
    assert ids(batch(3, 1, 2)) == ["id-1", "id-2", "id-0"]
    assert batch(3, 1, 2).careful


def test_among_equals_that_came_back_chance_decides_so_that_each_comes_before_a_killer_soon() -> None:
    killer = "id-0"
    before = {each for seed in range(10) for each in ids(batch(*[2] * 10, seed=seed))[:-1] if each != killer}
    in_front = set()
    for seed in range(6):
        order = ids(batch(*[2] * 10, seed=seed))
        in_front |= set(order[: order.index(killer)])
    assert in_front == before
