"""SQS in memory, over the operations of boto3's client that the function and `courier` use: fast, refusing as told."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.samples import long_names

if TYPE_CHECKING:
    from collections.abc import Callable


DEAD_LETTERS = "dead-letters"
"""The URL of the function's dead-letter queue."""


@dataclass
class FakeSqs:
    """Queues by URL; each message is a dict of what ReceiveMessage answers.

    Args:
        before, after: Called before and after each single message is sent or hidden.
        refuse: Says of an operation and a message's body whether SQS refuses this entry.
        duplicate: Whether a message is handed out again though it is hidden, as SQS may do.
        misses: Whether a receive that does not wait finds nothing, and others few, as SQS may answer.
    """

    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    refuse: Callable[[str, str], bool] = lambda _operation, _body: False
    duplicate: bool = False
    misses: bool = False
    queues: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    hidden_for: list[int] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    _ids: Any = field(default_factory=itertools.count)

    def put(self, url: str, body: str = "{}", sent_at: Any = 1_800_000_000, **attributes: str) -> str:
        letter_id = f"{next(self._ids):036}"
        self.queues.setdefault(url, {})[letter_id] = {
            "MessageId": letter_id,
            "ReceiptHandle": letter_id,
            "Body": body,
            "Attributes": {"SentTimestamp": str(int(sent_at * 1000))},
            "MessageAttributes": {
                n: {"DataType": "String", "StringValue": v} for n, v in long_names(attributes).items()
            },
        }
        return letter_id

    @property
    def dead_letters(self) -> list[dict[str, Any]]:
        return list(self.queues.get(DEAD_LETTERS, {}).values())

    def send_message(self, *, QueueUrl: str, **message: Any) -> dict[str, str]:  # noqa: N803 - boto3's names, here and below
        self.before()
        message_id = self._take(QueueUrl, message)
        self.after()
        return {"MessageId": message_id}

    def _take(self, url: str, message: dict[str, Any]) -> str:
        message["MessageBody"].encode()
        message_id = self.put(url, message["MessageBody"])
        taken = self.queues[url][message_id]
        taken["MessageAttributes"] = message["MessageAttributes"]
        if group := message.get("MessageGroupId"):
            taken["Attributes"]["MessageGroupId"] = group
        for name, value in message.get("MessageSystemAttributes", {}).items():
            taken["Attributes"][name] = value["StringValue"]
        return message_id

    def change_message_visibility(self, *, ReceiptHandle: str, VisibilityTimeout: int, **_: Any) -> None:  # noqa: N803
        self.before()
        self.hidden_for.append(VisibilityTimeout)
        (self.hidden.add if VisibilityTimeout else self.hidden.discard)(ReceiptHandle)

    def get_queue_attributes(self, *, QueueUrl: str, **_: Any) -> Any:  # noqa: N803
        queue = self.queues.get(QueueUrl, {})
        hidden = len(self.hidden & queue.keys())
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": str(len(queue) - hidden),
                "ApproximateNumberOfMessagesNotVisible": str(hidden),
                "ApproximateNumberOfMessagesDelayed": "0",
            }
        }

    def receive_message(self, *, QueueUrl: str, MaxNumberOfMessages: int, WaitTimeSeconds: int, **_: Any) -> Any:  # noqa: N803
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
        self.calls.append("give back")
        self.hidden.difference_update(entry["ReceiptHandle"] for entry in Entries)
        return {"Successful": []}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803
        self.calls.append("send")
        failed = [entry["Id"] for entry in Entries if self.refuse("send", entry["MessageBody"])]
        for entry in Entries:
            if entry["Id"] not in failed:
                self._take(QueueUrl, entry)
        return {"Successful": [], "Failed": [{"Id": i, "Code": "InternalFailure"} for i in failed]}

    def delete_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803
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


def letters(count: int, **more: Any) -> FakeSqs:
    """Queues with as many dead letters, on the queue "dead"."""
    queues = FakeSqs(**more)
    for n in range(count):
        queues.put("dead", str(n), ClientToken=f"t-{n}", Reason="NotFound")
    return queues
