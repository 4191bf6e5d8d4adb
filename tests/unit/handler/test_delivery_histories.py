"""Whatever happens to a reply, in whatever order: it keeps one token, is sent once at most, and is never nowhere."""

import io
import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contract.client_token import client_token
from tests.fakes.connect import FakeConnect
from tests.fakes.faults import CrashError, crash, fails, lost_answer, refusal
from tests.fakes.function import FakeClock, delivery
from tests.fakes.sqs import DEAD_LETTERS, FakeSqs
from tests.samples import record, reply, string_attribute

NOW = 1_800_000_000
AT_CONNECT = {
    "nothing": None,
    "throttled": refusal(429, "ThrottlingException"),
    "full": refusal(402, "ServiceQuotaExceededException"),
    "denied": refusal(403, "AccessDeniedException"),
    "fails": refusal(500, "InternalServiceException"),
}


@dataclass
class OnQueue:
    """A message on the main queue."""

    id: str
    body: str
    attributes: dict[str, Any]
    receives: int = 0


@dataclass
class World:
    """Where every reply is."""

    queue: list[OnQueue] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


class LifeOfAReply(RuleBasedStateMachine):
    """Receives, crashes, answers, dead-lettering and redrives, in any order."""

    @initialize(repeat_conflicts=st.booleans())
    def start(self, repeat_conflicts: bool) -> None:
        self.world = World()
        self.connect = FakeConnect(repeat_conflicts, contacts=set())
        self.sqs = FakeSqs()
        self.ids = itertools.count()
        self.clock = FakeClock()
        self.delivery = delivery(self.connect, self.sqs, log=io.StringIO(), clock=self.clock, now=NOW)

    @rule(kind=st.sampled_from(["sound", "sound", "unknown", "invalid"]), own_token=st.booleans())
    def put(self, kind: str, own_token: bool) -> None:
        label = f"reply-{next(self.ids)}"
        self.world.labels.append(label)
        if kind == "sound":
            self.connect.contacts = {*(self.connect.contacts or ()), label}
        body = json.dumps(reply(ContactId=label, **({"Surprise": 1} if kind == "invalid" else {})))
        attributes = {"ClientToken": string_attribute(f"producer-{label}")} if own_token else {}
        self.world.queue.append(OnQueue(f"id-{label}", body, attributes))

    @precondition(lambda self: self.world.queue)
    @rule(
        data=st.data(),
        answer=st.sampled_from([*AT_CONNECT, "lost answer", "crash before", "crash after"]),
        dead_letter_queue=st.sampled_from(["nothing", "refuses", "lost answer", "crash before", "crash after"]),
        late=st.booleans(),
        response_lost=st.booleans(),
    )
    def receive(
        self, data: st.DataObject, answer: str, dead_letter_queue: str, late: bool, response_lost: bool
    ) -> None:
        message = data.draw(st.sampled_from(self.world.queue))
        self.strike(answer, dead_letter_queue)
        done = self.deliver(message, age=22_000 if late else 1)
        self.strike("nothing", "nothing")
        if done and not response_lost:
            self.world.queue.remove(message)

    @precondition(lambda self: self.sqs.dead_letters)
    @rule(data=st.data())
    def redrive(self, data: st.DataObject) -> None:
        self.back_to_the_queue(data.draw(st.sampled_from(self.sqs.dead_letters)))

    @precondition(lambda self: self.world.queue)
    @rule(data=st.data())
    def a_receive_that_never_starts(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.world.queue)).receives += 1

    @invariant()
    def every_reply_has_one_token_and_is_sent_once_at_most(self) -> None:
        asked = {(call["ContactId"], call["ClientToken"]) for call in self.connect.calls}
        assert len({contact for contact, _ in asked}) == len(asked)
        sent = [email["ContactId"] for email in self.connect.accepted]
        assert len(sent) == len(set(sent))

    @invariant()
    def no_reply_is_nowhere(self) -> None:
        assert set(self.world.labels) == self.sent() | self.dead() | {
            self.label(each.body) for each in self.world.queue
        }

    @invariant()
    def every_dead_letter_has_its_token_and_reason(self) -> None:
        for letter in self.sqs.dead_letters:
            label = self.label(letter["Body"])
            assert client_token("another", letter["MessageAttributes"]) in {f"id-{label}", f"producer-{label}"}
            assert letter["MessageAttributes"]["ReplyCourier.Reason"]["StringValue"]

    def teardown(self) -> None:
        """In the end all goes well, and every dead letter was redriven: each reply is in exactly one place."""
        if not hasattr(self, "world"):
            return
        self.settle()
        for letter in list(self.sqs.dead_letters):
            self.back_to_the_queue(letter)
        self.settle()
        for letter in self.sqs.dead_letters:
            # Where a repeat answers 409, a re-sent reply whose answer was lost waits: nobody can tell that it was sent.
            reason = letter["MessageAttributes"]["ReplyCourier.Reason"]["StringValue"]
            assert self.label(letter["Body"]) not in self.sent() or reason == "TokenAlreadyUsed"
        assert self.sent() | self.dead() == set(self.world.labels)
        assert self.sent() == set(self.world.labels) & (self.connect.contacts or set()) - self.invalid()

    def settle(self) -> None:
        for message in list(self.world.queue):
            assert self.deliver(message)
            self.world.queue.remove(message)

    def deliver(self, message: OnQueue, age: float = 1) -> bool:
        """Receive a message, first received `age` seconds ago; return whether it is done."""
        message.receives += 1
        event = record(
            message.body,
            message_id=message.id,
            receive_count=message.receives,
            first_received_at=NOW - age,
        )
        event["messageAttributes"] = message.attributes
        ends = self.clock.now + 60
        try:
            answer = self.delivery.deliver_all([event], lambda: ends - self.clock.now)
        except CrashError:
            return False
        return answer == {"batchItemFailures": []}

    def strike(self, answer: str, dead_letter_queue: str) -> None:
        nothing = lambda *_: None  # noqa: E731 - one of several things that may happen
        error = AT_CONNECT.get(answer)
        self.connect.before = fails(error) if error else crash if answer == "crash before" else nothing
        self.connect.after = {"lost answer": lost_answer, "crash after": crash}.get(answer, nothing)
        refuses = fails(refusal(400, "AWS.SimpleQueueService.NonExistentQueue"))
        self.sqs.before = {"refuses": refuses, "crash before": crash}.get(dead_letter_queue, nothing)
        self.sqs.after = {"lost answer": lost_answer, "crash after": crash}.get(dead_letter_queue, nothing)

    def back_to_the_queue(self, letter: dict[str, Any]) -> None:
        """As the console does it: a new id, the same body and attributes."""
        del self.sqs.queues[DEAD_LETTERS][letter["MessageId"]]
        attributes = {
            name: string_attribute(value["StringValue"]) for name, value in letter["MessageAttributes"].items()
        }
        self.world.queue.append(OnQueue(f"again-{next(self.ids)}", letter["Body"], attributes))

    def label(self, body: str) -> str:
        return str(json.loads(body)["ContactId"])

    def sent(self) -> set[str]:
        return {email["ContactId"] for email in self.connect.accepted}

    def dead(self) -> set[str]:
        return {self.label(letter["Body"]) for letter in self.sqs.dead_letters}

    def invalid(self) -> set[str]:
        return {self.label(letter["Body"]) for letter in self.sqs.dead_letters if "Surprise" in letter["Body"]}


TestLifeOfAReply = LifeOfAReply.TestCase
TestLifeOfAReply.settings = settings(max_examples=100, stateful_step_count=30)
