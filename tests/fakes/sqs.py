"""SQS in memory, with the operations that the function and `courier` call."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.samples import long_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


DEAD_LETTERS = "dead-letters"
"""The URL of the function's dead-letter queue."""


@dataclass
class FakeSqs:
    """Queues by URL, and the messages of each by id, as ReceiveMessage answers them.

    Attributes:
        before, after: Called with the operation before and after each call.
        refuse: Returns whether SQS refuses an entry of a batch, given by "send" or "delete" and the message's body.
        duplicate: Whether a receive contains a message twice, as SQS's may.
        misses: Whether a receive that doesn't wait finds nothing, and others at most 3 messages, as SQS's may.
        counted: The number of visible messages that GetQueueAttributes returns. None means the true number.
        now: Returns the time in seconds, at which visibility timeouts end.
        hidden: When each hidden message is visible again.
        hidden_for: The visibility timeouts that were set one by one.
        given_back: The receipt handles whose messages were made visible in batches.
        tags: The tags of the queue "replies".
        calls: The operations so far.
    """

    before: Callable[[str], None] = lambda _operation: None
    after: Callable[[str], None] = lambda _operation: None
    refuse: Callable[[str, str], bool] = lambda _operation, _body: False
    duplicate: bool = False
    misses: bool = False
    counted: int | None = None
    now: Callable[[], float] = lambda: 0.0
    queues: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    hidden: dict[str, float] = field(default_factory=dict)
    hidden_for: list[int] = field(default_factory=list)
    given_back: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    _ids: Any = field(default_factory=itertools.count)
    _receives: Any = field(default_factory=itertools.count)

    def put(self, url: str, body: str = "{}", sent_at: Any = 1_800_000_000, **attributes: str) -> str:
        letter_id = f"{next(self._ids):036}"
        self.queues.setdefault(url, {})[letter_id] = {
            "MessageId": letter_id,
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
        with self._call("send_message"):
            return {"MessageId": self._take(QueueUrl, message)}

    def receive_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        MaxNumberOfMessages: int,  # noqa: N803
        WaitTimeSeconds: int,  # noqa: N803
        VisibilityTimeout: int = 30,  # noqa: N803
        **_: Any,
    ) -> Any:
        with self._call("receive_message"):
            if self.misses and not WaitTimeSeconds:
                return {}
            queue = self.queues.get(QueueUrl, {})
            visible = [each for each in itertools.islice(queue, 50) if self.hidden.get(each, 0) <= self.now()]
            taken = visible[: 3 if self.misses else MaxNumberOfMessages]
            self.hidden.update(dict.fromkeys(taken, self.now() + VisibilityTimeout))
            for letter_id in taken:  # to the end, because SQS promises no order
                queue[letter_id] = queue.pop(letter_id)
            if self.duplicate and len(taken) > 1:
                taken.append(taken[0])
            receive = next(self._receives)
            received = [{**queue[letter_id], "ReceiptHandle": f"{letter_id}/{receive}"} for letter_id in taken]
            return {"Messages": received} if received else {}

    def change_message_visibility(self, *, ReceiptHandle: str, VisibilityTimeout: int, **_: Any) -> None:  # noqa: N803
        with self._call("change_message_visibility"):
            self.hidden_for.append(VisibilityTimeout)
            self.hidden[_id(ReceiptHandle)] = self.now() + VisibilityTimeout

    def change_message_visibility_batch(self, *, Entries: list[Any], **_: Any) -> Any:  # noqa: N803
        with self._call("change_message_visibility_batch"):
            for entry in Entries:
                self.given_back.append(entry["ReceiptHandle"])
                self.hidden.pop(_id(entry["ReceiptHandle"]), None)
            return {"Successful": []}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803
        with self._call("send_message_batch"):
            failed = [entry["Id"] for entry in Entries if self.refuse("send", entry["MessageBody"])]
            for entry in Entries:
                if entry["Id"] not in failed:
                    self._take(QueueUrl, entry)
            return {"Successful": [], "Failed": [{"Id": i, "Code": "InternalFailure"} for i in failed]}

    def delete_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803
        with self._call("delete_message_batch"):
            failed = []
            for entry in Entries:
                letter_id = _id(entry["ReceiptHandle"])
                letter = self.queues[QueueUrl].get(letter_id)
                if letter and self.refuse("delete", letter["Body"]):
                    failed.append({"Id": entry["Id"], "Code": "InternalFailure"})
                else:
                    self.queues[QueueUrl].pop(letter_id, None)
                    self.hidden.pop(letter_id, None)
            return {"Successful": [], "Failed": failed}

    def get_queue_attributes(self, *, QueueUrl: str, **_: Any) -> Any:  # noqa: N803
        queue = self.queues.get(QueueUrl, {})
        hidden = sum(self.hidden.get(each, 0) > self.now() for each in queue)
        visible = len(queue) - hidden if self.counted is None else self.counted
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": str(visible),
                "ApproximateNumberOfMessagesNotVisible": str(hidden),
                "ApproximateNumberOfMessagesDelayed": "0",
            }
        }

    def list_queue_tags(self, *, QueueUrl: str) -> Any:  # noqa: N803
        assert QueueUrl == "replies"
        return {"Tags": self.tags} if self.tags else {}

    def tag_queue(self, *, QueueUrl: str, Tags: dict[str, str]) -> None:  # noqa: N803
        assert QueueUrl == "replies"
        with self._call("tag_queue"):
            self.tags |= Tags

    def untag_queue(self, *, QueueUrl: str, TagKeys: list[str]) -> None:  # noqa: N803
        assert QueueUrl == "replies"
        with self._call("untag_queue"):
            self.tags = {name: value for name, value in self.tags.items() if name not in TagKeys}

    @contextmanager
    def _call(self, operation: str) -> Iterator[None]:
        self.calls.append(operation)
        self.before(operation)
        yield
        self.after(operation)

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


def _id(receipt_handle: str) -> str:
    return receipt_handle.partition("/")[0]


def letters(count: int, **more: Any) -> FakeSqs:
    """Queues with as many dead letters, on the queue "dead"."""
    queues = FakeSqs(**more)
    for n in range(count):
        queues.put("dead", str(n), ClientToken=f"t-{n}", Reason="NotFound")
    return queues
