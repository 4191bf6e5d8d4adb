"""What local AWS puts in moto's place to be quick says what moto says."""

import time

import pytest
from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, SQSBackend

from local.moto.sqs_queues import quicken

LOOKS = ("messages", "approximate_number_of_messages_delayed", "approximate_number_of_messages_not_visible")
MINUTE = 60_000
RETENTION = 60


@pytest.fixture(autouse=True)
def moto_is_itself_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*LOOKS, "delete_message"):
        monkeypatch.setattr(Queue, name, vars(Queue)[name])
    name = "is_message_valid_based_on_retention_period"
    monkeypatch.setattr(SQSBackend, name, vars(SQSBackend)[name])


@pytest.fixture
def backend() -> SQSBackend:
    backend = SQSBackend("eu-central-1", "123456789012")
    backend.create_queue("queue", region="eu-central-1", MessageRetentionPeriod=str(RETENTION))
    return backend


def test_the_fast_counts_are_the_same_as_motos(backend: SQSBackend) -> None:
    now = time.time() * 1000
    past, soon = now - MINUTE, now + MINUTE
    queue = backend.get_queue("queue")
    times = [(0, 0), (past, 0), (soon, 0), (0, past), (0, soon), (soon, soon)]
    for n, (visible_at, delayed_until) in enumerate(times):
        message = Message(f"message-{n}", "body")
        message.visible_at, message.delayed_until = visible_at, delayed_until
        queue._messages.append(message)  # noqa: SLF001 - moto's own way to add one has no such times
    seen_by_moto = {name: getattr(queue, name) for name in LOOKS}
    quicken(lambda: now)
    assert {name: getattr(queue, name) for name in LOOKS} == seen_by_moto
    assert [message.id for message in queue.messages] == ["message-0", "message-1", "message-3"]


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize(("age", "received"), [(RETENTION - 10, 1), (RETENTION + 10, 0)])
def test_a_message_is_received_until_its_retention_ends(
    backend: SQSBackend, quick: bool, age: int, received: int
) -> None:
    if quick:
        quicken(lambda: time.time() * 1000)
    message = backend.send_message("queue", "body")
    message.sent_timestamp = int((time.time() - age) * 1000)  # type: ignore[assignment]
    assert len(backend.receive_message("queue", 10, 0, 30)) == received


@pytest.mark.parametrize("quick", [False, True])
def test_a_delete_accepts_any_receipt_handle_of_its_message(backend: SQSBackend, quick: bool) -> None:
    if quick:
        quicken(lambda: time.time() * 1000)
    for n in range(4):
        backend.send_message("queue", f"body {n}")
    first = [str(message.receipt_handle) for message in backend.receive_message("queue", 4, 0, 0)]
    backend.receive_message("queue", 1, 0, 30)
    for handle in (first[0], first[2], first[2]):  # an old handle, one of a message visible again, one that is gone
        backend.delete_message("queue", handle)
    assert [message.body for message in backend.receive_message("queue", 4, 0, 30)] == ["body 1", "body 3"]
    with pytest.raises(ReceiptHandleIsInvalid):
        backend.delete_message("queue", "of no message")
