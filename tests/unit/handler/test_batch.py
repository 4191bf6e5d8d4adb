from random import Random

from handler.batch import any_received_before, in_order
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


def test_those_received_least_often_come_first() -> None:
    assert ordered(3, 1, 2) == ["id-1", "id-2", "id-0"]
    assert any_received_before(messages(1, 1, 2))


def test_among_equals_that_came_back_chance_decides_so_that_each_comes_before_a_killer_soon() -> None:
    killer = "id-0"
    before = {each for seed in range(10) for each in ordered(*[2] * 10, seed=seed)[:-1] if each != killer}
    in_front = set()
    for seed in range(6):
        order = ordered(*[2] * 10, seed=seed)
        in_front |= set(order[: order.index(killer)])
    assert in_front == before
