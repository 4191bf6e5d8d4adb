"""What local AWS puts in moto's place to be quick says what moto says."""

import time
from collections.abc import Iterator

import pytest
from moto.sqs.models import Message, Queue

from local.sqs_long_queue import quicken

LOOKS = ("messages", "approximate_number_of_messages_delayed", "approximate_number_of_messages_not_visible")
MINUTE = 60_000


@pytest.fixture
def motos_own() -> Iterator[dict[str, property]]:
    own = {name: vars(Queue)[name] for name in LOOKS}
    yield own
    for name, look in own.items():
        setattr(Queue, name, look)


def test_it_sees_what_moto_sees(motos_own: dict[str, property]) -> None:
    now = time.time() * 1000
    past, soon = now - MINUTE, now + MINUTE
    queue = Queue("queue", "eu-central-1", "123456789012")  # type: ignore[abstract] # as moto does
    times = [(0, 0), (past, 0), (soon, 0), (0, past), (0, soon), (soon, soon)]
    for n, (visible_at, delayed_until) in enumerate(times):
        message = Message(f"message-{n}", "body")
        message.visible_at, message.delayed_until = visible_at, delayed_until
        queue._messages.append(message)  # noqa: SLF001 - moto's own way to add one needs a whole backend
    motos = {name: look.fget(queue) for name, look in motos_own.items() if look.fget}
    quicken(lambda: now)
    assert {name: getattr(queue, name) for name in LOOKS} == motos
    assert [message.id for message in queue.messages] == ["message-0", "message-1", "message-3"]
