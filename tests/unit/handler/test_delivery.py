"""What the shell does around the decisions: pace, time, backoff, and faults of its own."""

import io
import json
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from contract.token_age import iso
from handler import connect as connect_module
from handler import sqs as sqs_module
from handler.batch import deliver_all
from handler.delivery import ACT_SECONDS, Delivery
from handler.pacer import Pacer
from tests.fakes.connect import FakeConnect
from tests.fakes.faults import lost_answer, refusal
from tests.fakes.function import FakeClock, delivery
from tests.fakes.sqs import FakeSqs
from tests.operators import texts
from tests.samples import record


class World:
    def __init__(self) -> None:
        self.connect = FakeConnect()
        self.sqs = FakeSqs()
        self.log = io.StringIO()
        self.clock = FakeClock()
        self.delivery: Delivery = delivery(self.connect, self.sqs, log=self.log, clock=self.clock)

    def deliver(self, *records: dict[str, Any], seconds_left: float = 600) -> list[str]:
        ends = self.clock.now + seconds_left
        answer = deliver_all(list(records), lambda: ends - self.clock.now, self.delivery)
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


def fails(error: Exception) -> Any:
    def at_once() -> None:
        raise error

    return at_once


def test_sends_keep_to_the_pace_of_the_environment(world: World) -> None:
    clock = FakeClock()
    world.delivery = replace(world.delivery, pacer=Pacer(0.5, 1, clock, clock.sleep))
    world.deliver(record(), record(), record())
    assert clock.slept == [pytest.approx(2), pytest.approx(2)]


def test_bad_messages_wait_for_no_pace(world: World) -> None:
    clock = FakeClock()
    world.delivery = replace(world.delivery, pacer=Pacer(0.5, 1, clock, clock.sleep))
    world.deliver(record("x"), record("y"), record("z"))
    assert clock.slept == []


def test_a_turn_that_comes_too_late_for_the_time_left_is_not_waited_for(world: World) -> None:
    clock = FakeClock()
    world.delivery = replace(world.delivery, pacer=Pacer(0.01, 1, clock, clock.sleep))
    enough = connect_module.CALL_SECONDS + ACT_SECONDS + 50
    assert world.deliver(record(), record(message_id="late"), seconds_left=enough) == ["late"]
    assert clock.slept == []
    assert world.sqs.hidden_for == [0]


@pytest.mark.parametrize(("receive_count", "longest"), [(1, 2), (5, 32), (20, 900)])
def test_the_backoff_grows_with_the_receives(world: World, receive_count: int, longest: int) -> None:
    world.delivery = replace(world.delivery, rng=HighestDraw())
    world.connect.before = fails(refusal(500, "InternalServiceException"))
    world.deliver(record(receive_count=receive_count, first_received_at=1_800_000_000))
    assert world.sqs.hidden_for == [longest]


def test_where_active_emails_stay_full_the_reply_comes_back_after_a_longer_time(world: World) -> None:
    world.delivery = replace(world.delivery, rng=HighestDraw())
    world.connect.before = fails(refusal(402, "ServiceQuotaExceededException"))
    world.deliver(record(first_received_at=1_800_000_000), seconds_left=100)
    assert world.sqs.hidden_for == [60]


def test_a_refused_permission_is_not_retried_longer_than_anything_else(world: World) -> None:
    world.delivery = replace(world.delivery, settings=replace(world.delivery.settings, retry_seconds=600))
    world.connect.before = fails(refusal(403, "AccessDeniedException"))
    assert world.deliver(record(first_received_at=world.delivery.now() - 700)) == []
    assert [letter["MessageAttributes"]["ReplyCourier.Reason"]["StringValue"] for letter in world.sqs.dead_letters] == [
        "RetriesExhausted"
    ]


def test_a_fault_of_our_own_is_logged_and_keeps_the_message(world: World) -> None:
    world.delivery = replace(world.delivery, pacer=None)  # type: ignore[arg-type] # the fault
    assert world.deliver(record(message_id="id-1")) == ["id-1"]
    assert world.events == ["reply_failed", "reply_retried"]
    assert world.sqs.hidden_for[0] >= 1


@pytest.mark.parametrize(
    "error",
    [EndpointConnectionError(endpoint_url="x"), refusal(403, "AccessDenied"), KeyError("a fault of ours")],
    ids=repr,
)
def test_whatever_keeps_a_message_from_the_dead_letter_queue_it_stays(world: World, error: Exception) -> None:
    world.sqs.before = fails(error)
    world.delivery = replace(world.delivery, sqs=lambda: PutsBackOnly(world.sqs))  # type: ignore[arg-type, return-value] # a fake
    assert world.deliver(record("no reply", message_id="id-1")) == ["id-1"]
    assert world.events == ["dead_letter_failed", "reply_retried"]


class PutsBackOnly(FakeSqs):
    """SQS whose dead-letter queue fails as another one would, while visibility can be changed."""

    def __init__(self, other: FakeSqs) -> None:
        super().__init__()
        self.send_message = other.send_message  # type: ignore[method-assign] # the failing one


@pytest.mark.parametrize("error", [ConnectionClosedError(endpoint_url="x"), refusal(400, "InvalidParameterValue")])
def test_a_visibility_that_cannot_be_changed_is_logged_and_the_message_stays(world: World, error: Exception) -> None:
    world.connect.before = fails(refusal(500, "InternalServiceException"))
    world.sqs.before = fails(error)
    assert world.deliver(record(message_id="id-1")) == ["id-1"]
    assert world.events == ["call_repeated", "reply_retried", "visibility_unchanged"]


def test_a_move_whose_answer_is_lost_leaves_copies_with_one_token(world: World) -> None:
    world.sqs.after = lost_answer
    bad = record("no reply", message_id="id-1")
    assert world.deliver(bad) == ["id-1"]
    world.sqs.after = lambda: None
    assert world.deliver(bad) == []
    letters = [
        letter["MessageAttributes"]["ReplyCourier.MessageId"]["StringValue"] for letter in world.sqs.dead_letters
    ]
    assert letters == ["id-1", "id-1"]


def test_the_clients_have_short_time_outs_and_few_retries_and_connect_is_asked_in_the_instances_region(
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


def test_a_reply_first_tried_more_than_seven_days_ago_is_not_sent(world: World) -> None:
    assert world.deliver(record(MessageId="first", FirstTriedAt=iso(1_800_000_000 - 8 * 86_400))) == []
    assert world.connect.calls == []
    assert letter(world)["Reason"] == "TokenTooOld"


def test_a_refused_reply_says_when_it_was_first_tried(world: World) -> None:
    world.connect.contacts = set()
    assert world.deliver(record(first_received_at=1_800_000_000)) == []
    assert letter(world)["FirstTriedAt"] == iso(1_800_000_000)


def test_an_answer_without_a_contact_id_is_not_taken_for_sent(world: World) -> None:
    world.connect.start_outbound_email_contact = lambda **_: {"ResponseMetadata": {}}  # type: ignore[method-assign]
    assert world.deliver(record(message_id="id-1")) == ["id-1"]
    assert world.events == ["call_repeated", "reply_retried"]


def test_a_reply_to_somebody_who_is_not_allowed_is_dead_lettered_untried_and_its_letter_names_the_path(
    world: World,
) -> None:
    settings = replace(world.delivery.settings, allowed_recipients=("*@example.com",))
    world.delivery = replace(world.delivery, settings=settings)
    assert world.deliver(record(DestinationEmailAddress={"EmailAddress": "eve@elsewhere.example"})) == []
    (letter,) = world.sqs.dead_letters
    said = texts(letter)
    assert said["Reason"] == "RecipientNotAllowed"
    assert said["Detail"].startswith("reply.DestinationEmailAddress is not one of")
    assert "FirstTriedAt" not in said
    assert world.connect.calls == []
