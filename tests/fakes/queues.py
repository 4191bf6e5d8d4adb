"""A queue in memory, over the operations of boto3's SQS client that `courier` uses: fast, and refusing as told."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class FakeQueues:
    """Queues by URL; each message is a dict of what ReceiveMessage answers.

    Args:
        refuse: Says of an operation and a message's body whether SQS refuses this entry.
        duplicate: Whether a message is handed out again though it is hidden, as SQS may do.
        misses: Whether a receive that does not wait finds nothing, and others few, as SQS may answer.
    """

    refuse: Callable[[str, str], bool] = lambda _operation, _body: False
    duplicate: bool = False
    misses: bool = False
    queues: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    _ids: Any = field(default_factory=itertools.count)
    _lock: Lock = field(default_factory=Lock)

    def put(self, url: str, body: str = "{}", sent_at: float = 1_800_000_000, **attributes: str) -> str:
        letter_id = f"{next(self._ids):036}"
        self.queues.setdefault(url, {})[letter_id] = {
            "MessageId": letter_id,
            "ReceiptHandle": letter_id,
            "Body": body,
            "Attributes": {"SentTimestamp": str(int(sent_at * 1000))},
            "MessageAttributes": {n: {"DataType": "String", "StringValue": v} for n, v in attributes.items()},
        }
        return letter_id

    def get_queue_attributes(self, *, QueueUrl: str, **_: Any) -> Any:  # noqa: N803 - boto3's names, here and below
        visible = sum(letter_id not in self.hidden for letter_id in self.queues.get(QueueUrl, {}))
        return {"Attributes": {"ApproximateNumberOfMessages": str(visible)}}

    def receive_message(self, *, QueueUrl: str, MaxNumberOfMessages: int, WaitTimeSeconds: int, **_: Any) -> Any:  # noqa: N803
        if self.misses:
            time.sleep(0.002)  # a call takes its time, so that calls of several threads overlap
        with self._lock:
            self.calls.append("receive")
            if self.misses and not WaitTimeSeconds:
                return {}
            most = 3 if self.misses else MaxNumberOfMessages
            queue = self.queues.get(QueueUrl, {})
            # What is handed out goes to the end, as nothing says in which order SQS does it.
            taken = [i for i in itertools.islice(queue, 50) if i not in self.hidden][:most]
            if self.duplicate and len(taken) > 1:
                taken.append(taken[0])
            self.hidden.update(taken)
            for letter_id in dict.fromkeys(taken):
                queue[letter_id] = queue.pop(letter_id)
            return {"Messages": [queue[letter_id] for letter_id in taken]} if taken else {}

    def change_message_visibility_batch(self, *, Entries: list[Any], **_: Any) -> Any:  # noqa: N803
        with self._lock:
            self.calls.append("give back")
            self.hidden.difference_update(entry["ReceiptHandle"] for entry in Entries)
        return {"Successful": []}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803
        with self._lock:
            self.calls.append("send")
            failed = [entry["Id"] for entry in Entries if self.refuse("send", entry["MessageBody"])]
            for entry in Entries:
                if entry["Id"] not in failed:
                    texts = {name: value.get("StringValue", "") for name, value in entry["MessageAttributes"].items()}
                    self.put(QueueUrl, entry["MessageBody"], **texts)
        return {"Successful": [], "Failed": [{"Id": i, "Code": "InternalFailure"} for i in failed]}

    def delete_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803
        with self._lock:
            self.calls.append("delete")
            failed = []
            for entry in Entries:
                letter = self.queues[QueueUrl].get(entry["ReceiptHandle"])
                if letter and self.refuse("delete", letter["Body"]):
                    failed.append({"Id": entry["Id"], "Code": "InternalFailure"})
                else:
                    self.queues[QueueUrl].pop(entry["ReceiptHandle"], None)
                    self.hidden.discard(entry["ReceiptHandle"])
        return {"Successful": [], "Failed": failed}


def letters(count: int, **more: Any) -> FakeQueues:
    """Queues with as many dead letters, on the queue "dead"."""
    queues = FakeQueues(**more)
    for n in range(count):
        queues.put("dead", str(n), ClientToken=f"t-{n}", Reason="NotFound")
    return queues
