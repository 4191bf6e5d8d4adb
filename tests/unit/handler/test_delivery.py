"""What the shell does around the decisions: pace, time, backoff, and faults of its own."""

import io
import itertools
import json
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from contract.client_token import iso
from contract.payload import pointer_message
from handler.message import Message
from handler.pacer import Pacer
from handler.sender import ACT_SECONDS
from handler.services import connect as connect_module
from handler.services import sqs as sqs_module
from tests.fakes.connect import FakeConnect
from tests.fakes.event_bus import FakeEventBus
from tests.fakes.faults import fails, lost_answer, refusal
from tests.fakes.function import PAYLOADS, FakeClock, changed, delivery
from tests.fakes.s3 import FakeS3
from tests.fakes.sqs import FakeSqs
from tests.operators import texts
from tests.samples import record, reply

if TYPE_CHECKING:
    from handler.delivery import Delivery


class World:
    def __init__(self) -> None:
        self.connect = FakeConnect()
        self.sqs = FakeSqs()
        self.log = io.StringIO()
        self.clock = FakeClock()
        self.s3 = FakeS3()
        self.bus = FakeEventBus()
        self.delivery: Delivery = delivery(
            self.connect, self.sqs, log=self.log, clock=self.clock, s3=self.s3, bus=self.bus
        )

    def deliver(self, *records: dict[str, Any], seconds_left: float = 600) -> list[str]:
        ends = self.clock.now + seconds_left
        answer = self.delivery.deliver_all(list(records), lambda: ends - self.clock.now)
        return [str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]

    @property
    def events(self) -> list[str]:
        return [json.loads(line)["message"] for line in self.log.getvalue().splitlines()]


@pytest.fixture
def world() -> World:
    return World()


class HighestDraw(Random):
    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


def test_sends_keep_to_the_pace_of_the_environment(world: World) -> None:
    clock = FakeClock()
    world.delivery = changed(world.delivery, pacer=Pacer(0.5, 1, clock, clock.sleep))
    world.deliver(record(), record(), record())
    assert clock.slept == [pytest.approx(2), pytest.approx(2)]


def test_bad_messages_wait_for_no_pace(world: World) -> None:
    clock = FakeClock()
    world.delivery = changed(world.delivery, pacer=Pacer(0.5, 1, clock, clock.sleep))
    world.deliver(record("x"), record("y"), record("z"))
    assert clock.slept == []


def test_a_turn_that_comes_too_late_for_the_time_left_is_not_waited_for(world: World) -> None:
    clock = FakeClock()
    world.delivery = changed(world.delivery, pacer=Pacer(0.01, 1, clock, clock.sleep))
    enough = connect_module.CALL_SECONDS + ACT_SECONDS + 50
    assert world.deliver(record(), record(message_id="late"), seconds_left=enough) == ["late"]
    assert clock.slept == []
    assert world.sqs.hidden_for == [0]


@pytest.mark.parametrize(
    ("error", "receive_count", "longest"),
    [
        (refusal(500, "InternalServiceException"), 1, 2),
        (refusal(500, "InternalServiceException"), 20, 900),
        (refusal(402, "ServiceQuotaExceededException"), 1, 60),
    ],
)
def test_the_backoff_depends_on_the_receives_and_the_cause(
    world: World, error: Exception, receive_count: int, longest: int
) -> None:
    world.delivery = changed(world.delivery, rng=HighestDraw())
    world.connect.before = fails(error)
    world.deliver(record(receive_count=receive_count, first_received_at=1_800_000_000), seconds_left=100)
    assert world.sqs.hidden_for == [longest]


def test_what_is_not_answered_after_a_throttle_is_tried_once_more(world: World) -> None:
    world.connect.answers = iter([refusal(429, "ThrottlingException"), refusal(503, "ServiceUnavailable")])
    assert world.deliver(record()) == []
    assert world.events == ["attempt_failed", "attempt_failed", "reply_sent"]


def test_a_refused_permission_is_not_retried_longer_than_anything_else(world: World) -> None:
    world.delivery = changed(world.delivery, settings=replace(world.delivery.settings, retry_seconds=600))
    world.connect.before = fails(refusal(403, "AccessDeniedException"))
    assert world.deliver(record(first_received_at=world.delivery.now() - 700)) == []
    assert [letter["MessageAttributes"]["ReplyCourier.Reason"]["StringValue"] for letter in world.sqs.dead_letters] == [
        "RetriesExhausted"
    ]


def test_a_fault_of_our_own_is_logged_and_keeps_the_message(world: World) -> None:
    world.delivery = changed(world.delivery, pacer=None)
    assert world.deliver(record(message_id="id-1")) == ["id-1"]
    assert world.events == ["unexpected_error", "reply_retried"]
    assert world.sqs.hidden_for[0] >= 1


@pytest.mark.parametrize(
    "error",
    [EndpointConnectionError(endpoint_url="x"), refusal(403, "AccessDenied"), KeyError("a fault of ours")],
    ids=repr,
)
def test_whatever_keeps_a_message_from_the_dead_letter_queue_it_stays(world: World, error: Exception) -> None:
    world.sqs.before = lambda operation: fails(error)() if operation == "send_message" else None
    assert world.deliver(record("no reply", message_id="id-1")) == ["id-1"]
    assert world.events == ["dead_letter_failed", "reply_retried"]


@pytest.mark.parametrize("error", [ConnectionClosedError(endpoint_url="x"), refusal(400, "InvalidParameterValue")])
def test_a_visibility_that_cannot_be_changed_is_logged_and_the_message_stays(world: World, error: Exception) -> None:
    world.connect.before = fails(refusal(500, "InternalServiceException"))
    world.sqs.before = fails(error)
    assert world.deliver(record(message_id="id-1")) == ["id-1"]
    assert world.events == ["attempt_failed", "reply_retried", "visibility_change_failed"]


def test_a_move_whose_answer_is_lost_leaves_copies_with_one_token(world: World) -> None:
    world.sqs.after = lost_answer
    bad = record("no reply", message_id="id-1")
    assert world.deliver(bad) == ["id-1"]
    world.sqs.after = lambda _operation: None
    assert world.deliver(bad) == []
    letters = [
        letter["MessageAttributes"]["ReplyCourier.MessageId"]["StringValue"] for letter in world.sqs.dead_letters
    ]
    assert letters == ["id-1", "id-1"]


def test_clients_have_short_timeouts_and_connects_is_in_the_instances_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    connect = connect_module.client("arn:aws:connect:us-west-2:123456789012:instance/i").meta
    queue = sqs_module.client().meta
    assert (connect.region_name, queue.region_name) == ("us-west-2", "eu-central-1")
    for meta, module in ((connect, connect_module), (queue, sqs_module)):
        config: Any = meta.config
        assert config.connect_timeout == module.CONNECT_TIMEOUT
        assert config.read_timeout == module.READ_TIMEOUT
        attempts = config.retries["total_max_attempts"]
        assert config.retries == {"mode": "standard", "total_max_attempts": 1 if module is connect_module else 2}
        assert attempts * (module.CONNECT_TIMEOUT + module.READ_TIMEOUT) <= module.CALL_SECONDS


def letter(world: World) -> dict[str, str]:
    (only,) = world.sqs.dead_letters
    return texts(only)


def test_a_refused_reply_says_when_it_was_first_tried(world: World) -> None:
    world.connect.contacts = set()
    assert world.deliver(record(first_received_at=1_800_000_000)) == []
    assert letter(world)["FirstTriedAt"] == iso(1_800_000_000)


def test_an_answer_without_a_contact_id_is_not_taken_for_sent(world: World) -> None:
    world.connect.answers = itertools.repeat({"ResponseMetadata": {}})
    assert world.deliver(record(message_id="id-1")) == ["id-1"]
    assert world.events == ["attempt_failed", "reply_retried"]


def test_a_disallowed_recipient_is_dead_lettered_untried_with_the_members_path(
    world: World,
) -> None:
    settings = replace(world.delivery.settings, allowed_recipients=("*@example.com",))
    world.delivery = changed(world.delivery, settings=settings)
    assert world.deliver(record(DestinationEmailAddress={"EmailAddress": "eve@elsewhere.example"})) == []
    (letter,) = world.sqs.dead_letters
    said = texts(letter)
    assert said["Reason"] == "RecipientNotAllowed"
    assert said["Detail"].startswith("reply.DestinationEmailAddress is not one of")
    assert "FirstTriedAt" not in said
    assert world.connect.calls == []


def large(body: str, **more: Any) -> dict[str, Any]:
    """A record that points to a body in S3."""
    pointing, attributes = pointer_message(PAYLOADS, "key", len(body.encode()))
    size = {"dataType": "Number", "stringValue": attributes["ExtendedPayloadSize"]["StringValue"]}
    return record(pointing, ExtendedPayloadSize=size, **more)


def test_a_large_reply_is_sent_from_s3(world: World) -> None:
    body = json.dumps(reply())
    world.s3.objects[PAYLOADS, "key"] = body.encode()
    assert world.deliver(large(body)) == []
    (call,) = world.connect.calls
    assert call["EmailMessage"] == reply()["EmailMessage"]


def test_a_large_reply_that_breaks_the_contract_stays_a_pointer(world: World) -> None:
    world.s3.objects[PAYLOADS, "key"] = b"{}"
    pointing = large("{}")
    assert world.deliver(pointing) == []
    (letter,) = world.sqs.dead_letters
    assert letter["Body"] == pointing["body"]
    assert letter["MessageAttributes"]["ExtendedPayloadSize"] == {"DataType": "Number", "StringValue": "2"}
    assert texts(letter)["Reason"] == "InvalidReply"


def test_a_body_that_s3_does_not_give_is_asked_for_later_and_takes_no_turn(world: World) -> None:
    world.s3.fails = refusal(503, "SlowDown")
    assert world.deliver(large("{}", message_id="id-1")) == ["id-1"]
    assert world.connect.calls == []
    assert "reply_retried" in world.events


def test_a_verdict_that_nobody_acts_on_keeps_its_own_message_and_no_other(world: World) -> None:
    real = world.delivery.sender

    class Senders:
        def send(self, message: Message, seconds_left: Any) -> object:
            return "a new verdict" if message.id == "id-1" else real.send(message, seconds_left)

    world.delivery = replace(world.delivery, sender=Senders())  # type: ignore[arg-type] # as a mistake would
    assert world.deliver(record(message_id="id-1"), record(message_id="id-2")) == ["id-1"]
    assert world.events == ["unexpected_error", "reply_sent"]


def test_the_outcomes_of_an_invocation_are_published_in_one_call_before_its_answer(world: World) -> None:
    assert world.deliver(record(message_id="id-1"), record("no reply", message_id="id-2")) == []
    assert [detail["metadata"]["id"] for detail in world.bus.details] == ["id-1/Sent", "id-2/DeadLetter"]
    assert len(world.bus.calls) == 1


def test_an_outcome_that_is_not_certain_is_not_published(world: World) -> None:
    world.connect.before = fails(refusal(402, "ServiceQuotaExceededException"))
    world.deliver(record(), seconds_left=100)
    assert world.bus.calls == []


def test_a_message_never_comes_back_for_an_outcome(world: World) -> None:
    world.bus.refuse = lambda _call, _entry: True
    assert world.deliver(record(), record()) == []
    assert world.events[-1] == "outcomes_lost"
