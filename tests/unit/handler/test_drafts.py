"""Replies whose draft the function makes: which contact an attempt may use, and what becomes of drafts that fail."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from bench.dynamodb import Table, condition_failed
from handler.drafts import DELIVERY_SECONDS, HOLDS, SECONDS_AFTER_ATTEMPT, SECONDS_BEFORE_ATTEMPT, Hold, hash_of
from tests.fakes.connect import FakeConnect
from tests.fakes.event_bus import FakeEventBus
from tests.fakes.faults import crash, refusal
from tests.fakes.function import FakeClock, delivery
from tests.fakes.sqs import FakeSqs
from tests.samples import PERSONAL, drafted, record, short_names

if TYPE_CHECKING:
    from collections.abc import Callable

SENT_AT = 1_800_000_000
DAY = 86_400
TOKEN = "m-1"
KEY = sha256(TOKEN.encode()).hexdigest()
LOST = ConnectionClosedError(endpoint_url="x")
TABLE_DOWN = refusal(503, "InternalServerError")
TABLE_DENIED = refusal(400, "AccessDeniedException")


class FlakyTable(Table):
    """The table, which fails on request.

    Attributes:
        get_answers: What the next reads do: an exception is raised, None answers.
        before, after: The same of the next writes, before and after they are done.
        described: The same of DescribeTable.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now)
        self.get_answers: list[Any] = []
        self.before: list[Any] = []
        self.after: list[Any] = []
        self.described: list[Any] = []
        self.writes: list[str] = []

    def get_item(self, **request: Any) -> dict[str, Any]:
        return self._next(self.get_answers) or super().get_item(**request)

    def update_item(self, **request: Any) -> dict[str, Any]:
        self._next(self.before)
        self.writes.append(request["UpdateExpression"].partition(" ")[0])
        answer = super().update_item(**request)
        return self._next(self.after) or answer

    def describe_table(self, **request: Any) -> dict[str, Any]:
        return self._next(self.described) or super().describe_table(**request)

    @staticmethod
    def _next(answers: list[Any]) -> Any:
        answer = answers.pop(0) if answers else None
        if isinstance(answer, BaseException):
            raise answer
        return answer() if callable(answer) else answer


@dataclass
class World:
    """The function with one message, a table and a Connect in memory, and a wall clock that the test sets."""

    now: float = SENT_AT + 1
    body: dict[str, Any] = field(default_factory=drafted)
    connect: FakeConnect = field(default_factory=FakeConnect)
    sqs: FakeSqs = field(default_factory=FakeSqs)
    bus: FakeEventBus = field(default_factory=FakeEventBus)
    clock: FakeClock = field(default_factory=FakeClock)
    log: io.StringIO = field(default_factory=io.StringIO)
    receives: int = 0

    def __post_init__(self) -> None:
        self.table = FlakyTable(lambda: self.now)
        self.table.created_at = SENT_AT - 100 * DAY
        self.new_environment()

    def new_environment(self) -> None:
        self.delivery = delivery(
            self.connect,
            self.sqs,
            log=self.log,
            clock=self.clock,
            now=lambda: self.now,
            bus=self.bus,
            table=self.table,
        )

    def deliver(self, *, seconds_left: float = 600, receives: int | None = None, **attributes: Any) -> bool:
        """Receive the message once more; return whether it is done."""
        self.receives = receives or self.receives + 1
        message = record(
            self.body,
            message_id=attributes.pop("message_id", TOKEN),
            receive_count=self.receives,
            sent_at=attributes.pop("sent_at", SENT_AT),
            first_received_at=attributes.pop("first_received_at", SENT_AT + 1),
            **attributes,
        )
        ends = self.clock.now + seconds_left
        return not self.delivery.deliver_all([message], lambda: ends - self.clock.now)["batchItemFailures"]

    @property
    def item(self) -> dict[str, Any]:
        """The only item, without types."""
        (item,) = self.table.items.values()
        return {name: next(iter(value.values())) for name, value in item.items()}

    @property
    def letter(self) -> dict[str, Any]:
        """The only dead letter's attributes."""
        (letter,) = self.sqs.dead_letters
        attributes = short_names(letter["MessageAttributes"])
        return {name: value["StringValue"] for name, value in attributes.items()}

    @property
    def events(self) -> list[str]:
        return [json.loads(line)["message"] for line in self.log.getvalue().splitlines()]

    @property
    def cause(self) -> str:
        """Why the message was last retried."""
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        cause: str = [line["cause"] for line in lines if line["message"] == "reply_retried"][-1]
        return cause

    @property
    def contacts(self) -> list[str]:
        """The contacts that attempts were made on."""
        return [call["ContactId"] for call in self.connect.calls]


@pytest.fixture
def world() -> World:
    return World()


def test_a_reply_is_sent_on_a_draft_whose_mark_is_in_the_table_before_the_attempt(world: World) -> None:
    seen: list[Any] = []
    world.connect.before = lambda: seen.append(world.item)
    assert world.deliver()
    (item,) = seen
    (mark,) = item.pop("Marks")
    assert len(mark) == 32
    assert item == {
        "TokenHash": KEY,
        "ContactId": "draft-1",
        "ReplyHash": hash_of(drafted()),
        "MadeAt": str(SENT_AT + 1),
        "ExpiresAt": str(SENT_AT + 1 + 6 * 3600 + 45 * 60),
        "DeleteAt": str(SENT_AT + 1 + 57 * DAY),
    }
    (created,) = world.connect.created
    assert created.pop("ClientToken") != TOKEN
    assert created.pop("InstanceId")
    assert created == {"Channel": "EMAIL", "InitiationMethod": "FLOW", "ExpiryDurationInMinutes": 7 * 60}
    (email,) = world.connect.accepted
    assert (email["ContactId"], email["ClientToken"]) == ("draft-1", TOKEN)
    assert "CreateContact" not in email
    assert world.table.writes == ["SET"]
    assert world.events == ["draft_made", "reply_sent"]
    assert world.connect.stopped == []


def test_what_the_reply_says_of_its_draft_goes_to_create_contact(world: World) -> None:
    wanted = {
        "InitiationMethod": "AGENT_REPLY",
        "RelatedContactId": "inbound-1",
        "UserInfo": {"UserId": "user-1"},
        "Attributes": {"case": "7"},
    }
    world.body = drafted(**wanted)
    assert world.deliver()
    assert wanted.items() <= world.connect.created[0].items()


def test_the_outcome_names_the_draft(world: World) -> None:
    assert world.deliver()
    (entry,) = world.bus.taken
    made_at = "2027-01-15T08:00:01.000+00:00"
    draft = {"contact_id": "draft-1", "made_at": made_at, "is_new": True, "is_stopped": False}
    assert json.loads(entry["Detail"])["data"]["draft"] == draft


def test_a_refused_reply_leaves_no_mark_and_its_draft_is_stopped(world: World) -> None:
    world.connect.answers = iter([refusal(413), None])
    assert world.deliver()
    assert world.letter["Reason"] == "Refused"
    assert "Contact:" not in world.letter["Detail"]
    assert world.connect.stopped == ["draft-1"]
    assert "Marks" not in world.item
    assert world.item["ExpiresAt"] == "0"
    assert world.events == ["draft_made", "draft_stopped", "reply_dead_lettered"]
    (entry,) = world.bus.taken
    assert json.loads(entry["Detail"])["data"]["draft"]["is_stopped"] is True


def test_a_replay_of_a_refused_reply_makes_a_new_draft_also_13_days_later(world: World) -> None:
    world.connect.answers = iter([refusal(413)])
    assert world.deliver()
    world.now += 13 * DAY
    sent_at = world.now
    first_tried = world.letter["FirstTriedAt"]
    assert world.deliver(
        message_id="m-2",
        receives=1,
        sent_at=sent_at,
        first_received_at=sent_at,
        MessageId=TOKEN,
        FirstTriedAt=first_tried,
    )
    assert world.contacts == ["draft-1", "draft-2"]
    (email,) = world.connect.accepted
    assert (email["ContactId"], email["ClientToken"]) == ("draft-2", TOKEN)


def test_a_lost_answer_is_repeated_with_the_same_contact_token_and_text(world: World) -> None:
    answers = [LOST, LOST]

    def lose() -> None:
        if answers:
            raise answers.pop()

    world.connect.after = lose
    assert not world.deliver()
    assert world.cause == "Unavailable"
    assert len(world.item["Marks"]) == 1
    world.new_environment()
    assert world.deliver()
    assert world.contacts == ["draft-1"] * 3
    assert len(world.connect.accepted) == 1
    assert len(world.connect.created) == 1
    assert world.connect.stopped == []


def test_after_a_refused_permission_the_draft_is_kept_for_the_next_attempt(world: World) -> None:
    world.connect.answers = iter([refusal(403, "AccessDeniedException")])
    assert not world.deliver()
    assert "Marks" not in world.item
    world.now += 60
    assert world.deliver()
    assert world.contacts == ["draft-1"] * 2
    assert world.connect.stopped == []


def test_an_unmarked_draft_that_expires_soon_is_replaced(world: World) -> None:
    world.connect.answers = iter([refusal(429)] * 100)
    assert not world.deliver()
    world.connect.answers = iter(())
    world.now = int(world.item["ExpiresAt"])
    assert world.deliver(first_received_at=world.now - 10)
    assert world.contacts[-1] == "draft-2"
    assert world.item["ContactId"] == "draft-2"


def test_a_draft_that_may_have_been_sent_is_never_replaced_by_the_function(world: World) -> None:
    world.connect.answers = iter([LOST, LOST])
    assert not world.deliver()
    world.now += 6.9 * DAY  # its draft has long expired
    world.connect.answers = iter([refusal(404, "ResourceNotFoundException")])
    assert world.deliver(first_received_at=world.now - 10, receives=1)
    assert world.contacts == ["draft-1"] * 3
    assert world.letter["Reason"] == "NotFound"
    assert "Contact: draft-1." in world.letter["Detail"]
    assert world.connect.stopped == []
    assert len(world.item["Marks"]) == 1


def test_after_7_days_a_person_decides_about_a_reply_that_may_have_been_sent(world: World) -> None:
    world.connect.answers = iter([LOST, LOST])
    assert not world.deliver()
    world.now = SENT_AT + 1 + 7 * DAY - 3600 + 1
    assert world.deliver(first_received_at=world.now - 10, sent_at=world.now - 10, receives=1)
    assert world.contacts == ["draft-1"] * 2
    assert world.letter["Reason"] == "TokenTooOld"
    assert "contact draft-1" in world.letter["Detail"]
    assert world.letter["FirstTriedAt"] == "2027-01-15T08:00:01.000+00:00"  # when the draft was made


def test_another_text_under_a_token_that_may_have_been_sent_is_for_a_person(world: World) -> None:
    world.connect.answers = iter([LOST, LOST])
    assert not world.deliver()
    world.body = drafted(RelatedContactId="inbound-2")
    assert world.deliver()
    assert world.letter["Reason"] == "MayHaveBeenSent"
    assert "contact draft-1" in world.letter["Detail"]
    assert world.contacts == ["draft-1"] * 2


def test_another_text_of_a_reply_that_was_surely_refused_gets_a_draft_of_its_own(world: World) -> None:
    world.connect.answers = iter([refusal(403, "AccessDeniedException")])
    assert not world.deliver()
    world.now += 60
    world.body = drafted(RelatedContactId="inbound-2")
    assert world.deliver()
    assert world.contacts == ["draft-1", "draft-2"]


def test_a_table_that_is_newer_than_the_first_receive_vouches_for_nothing(world: World) -> None:
    world.table.created_at = SENT_AT + 100
    world.now = SENT_AT + 200
    assert world.deliver(receives=2)
    assert world.letter["Reason"] == "MayHaveBeenSent"
    assert world.connect.created == []
    assert world.letter["FirstTriedAt"] == "2027-01-15T08:00:01.000+00:00"


@pytest.mark.parametrize("created_at", [SENT_AT + 1, SENT_AT + 1.9])
def test_a_table_of_the_same_second_as_the_first_receive_vouches_for_it(world: World, created_at: float) -> None:
    world.table.created_at = created_at
    world.now = SENT_AT + 200
    assert world.deliver(receives=2)
    assert len(world.connect.accepted) == 1


def test_a_first_receive_asks_for_no_creation_time(world: World) -> None:
    world.table.described = [LOST]
    assert world.deliver()
    assert len(world.table.described) == 1


def test_without_the_creation_time_a_reply_that_was_received_before_waits(world: World) -> None:
    world.table.described = [LOST]
    assert not world.deliver(receives=2)
    assert world.cause == "TableUnavailable"
    assert world.connect.created == []


def test_a_read_is_repeated_once(world: World) -> None:
    world.table.get_answers = [LOST]
    assert world.deliver()
    assert len(world.connect.accepted) == 1


@pytest.mark.parametrize("answers", [[LOST, LOST], [TABLE_DOWN, TABLE_DENIED], [{"odd": 1}, {"odd": 1}]])
def test_without_an_answer_of_the_table_nothing_is_made(world: World, answers: list[Any]) -> None:
    world.table.get_answers = answers
    assert not world.deliver()
    assert world.cause == "TableUnavailable"
    assert world.connect.created == []


def test_an_unanswered_write_leaves_the_draft_alone_and_sends_nothing(world: World) -> None:
    world.table.after = [LOST]
    assert not world.deliver()
    assert world.cause == "TableUnavailable"
    assert (world.contacts, world.connect.stopped) == ([], [])
    world.now += 20
    assert world.deliver()
    assert world.contacts == ["draft-1"]


@pytest.mark.parametrize("answer", [{"odd": 1}, {"Attributes": None}])
def test_a_written_answer_that_cannot_be_read_is_an_unanswered_write(world: World, answer: Any) -> None:
    world.table.after = [answer]
    assert not world.deliver()
    assert world.cause == "TableUnavailable"
    assert (world.contacts, world.connect.stopped) == ([], [])


def test_a_refused_write_stops_the_new_draft_and_holds_others_back(world: World) -> None:
    world.table.before = [TABLE_DENIED]
    assert not world.deliver()
    assert world.cause == "TableUnavailable"
    assert (world.contacts, world.connect.stopped) == ([], ["draft-1"])
    assert not world.deliver()
    assert world.cause == "DraftsHeld"
    assert len(world.connect.created) == 1


def test_a_write_that_dynamodb_itself_repeats_counts_as_written(world: World) -> None:
    world.table.after = [lambda: (_ for _ in ()).throw(condition_failed(world.table.items[KEY]))]
    assert world.deliver()
    assert world.contacts == ["draft-1"]


def test_of_two_deliveries_at_once_one_sends_and_the_other_stops_its_draft(world: World) -> None:
    def other_is_faster() -> None:
        world.table.before = []
        world.new_environment()
        assert world.deliver(receives=2)
        assert world.contacts == ["draft-2"]

    world.table.before = [other_is_faster]
    assert not world.deliver(receives=1)
    assert world.contacts == ["draft-2"]
    assert world.connect.stopped == ["draft-1"]
    assert "reply_handed_back" in world.events


def test_a_conflict_on_a_draft_of_its_own_first_attempt_is_not_taken_for_sent(world: World) -> None:
    world.connect.answers = iter([refusal(409, "IdempotencyException")])
    assert world.deliver()
    assert world.letter["Reason"] == "TokenAlreadyUsed"
    assert "Contact: draft-1." in world.letter["Detail"]
    assert len(world.item["Marks"]) == 1


@pytest.mark.parametrize("token", [None, "crm:7"])
def test_a_conflict_after_an_attempt_without_an_answer_means_sent_under_its_own_id(
    world: World, token: str | None
) -> None:
    world.connect.answers = iter([LOST, refusal(409, "IdempotencyException")])
    attributes: dict[str, Any] = {"ClientToken": token} if token else {}
    assert world.deliver(**attributes)
    assert ("reply_already_sent" in world.events) is (token is None)
    assert bool(world.sqs.dead_letters) is (token is not None)


def test_a_killed_delivery_keeps_its_mark_and_the_next_one_its_contact(world: World) -> None:
    world.connect.before = crash
    with pytest.raises(BaseException):  # noqa: B017, PT011 - the process is gone
        world.deliver()
    world.connect.before = lambda: None
    world.new_environment()
    assert world.deliver()
    assert world.contacts == ["draft-1"]
    assert len(world.item["Marks"]) == 2


NOT_FOUND = refusal(404, "ResourceNotFoundException")


def test_a_refusal_of_a_new_draft_that_connect_finds_is_tried_once_more(world: World) -> None:
    world.connect.answers = iter([NOT_FOUND])
    assert world.deliver()
    assert world.contacts == ["draft-1", "draft-1"]
    assert len(world.connect.accepted) == 1


def test_the_second_refusal_of_a_new_draft_is_final(world: World) -> None:
    world.connect.answers = iter([NOT_FOUND, refusal(400, "InvalidRequestException")])
    assert world.deliver()
    assert world.letter["Reason"] == "InvalidRequest"
    assert world.connect.stopped == ["draft-1"]


@pytest.mark.parametrize("answer", [NOT_FOUND, LOST, {"odd": 1}])
def test_a_new_draft_that_connect_does_not_find_waits(world: World, answer: Any) -> None:
    world.connect.answers = iter([NOT_FOUND])
    world.connect.describe_answers = iter([answer])
    assert not world.deliver()
    assert world.cause == "ContactNotYetKnown"
    assert world.connect.stopped == []
    assert "Marks" not in world.item
    world.now += 10
    assert world.deliver()
    assert world.contacts == ["draft-1", "draft-1"]


def test_a_refusal_of_a_draft_older_than_5_minutes_is_final(world: World) -> None:
    world.connect.answers = iter([refusal(403, "AccessDeniedException"), NOT_FOUND])
    assert not world.deliver()
    world.now += 300
    assert world.deliver()
    assert world.letter["Reason"] == "NotFound"
    assert world.connect.stopped == ["draft-1"]


CREATED = [
    (refusal(409, "IdempotencyException"), "Unavailable"),
    (refusal(409, "ConflictException"), "Unavailable"),
    (refusal(500, "InternalServiceException"), "Unavailable"),
    (refusal(408), "Unavailable"),
    (LOST, "Unavailable"),
    (ReadTimeoutError(endpoint_url="x"), "TimedOut"),
    (EndpointConnectionError(endpoint_url="x"), "TimedOut"),
    ({"ResponseMetadata": {}}, "Unavailable"),
    ({"ContactId": "", "ResponseMetadata": {}}, "Unavailable"),
    (refusal(401), "AccessDenied"),
    (refusal(403, "AccessDeniedException"), "AccessDenied"),
]


@pytest.mark.parametrize(("answer", "cause"), CREATED, ids=lambda value: str(value)[:60])
def test_without_a_draft_the_reply_waits(world: World, answer: Any, cause: str) -> None:
    world.connect.create_answers = iter([answer])
    assert not world.deliver()
    assert world.cause == cause
    assert len(world.connect.created) == 1  # not repeated in this delivery
    assert (world.contacts, world.table.items) == ([], {})


@pytest.mark.parametrize(("answer", "cause"), CREATED, ids=lambda value: str(value)[:60])
def test_only_a_draft_that_may_have_been_made_holds_others_back(world: World, answer: Any, cause: str) -> None:
    world.connect.create_answers = iter([answer])
    assert not world.deliver()
    may_be_made = cause in {"Unavailable", "TimedOut"} and not isinstance(answer, EndpointConnectionError)
    assert world.deliver() is not may_be_made


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refusal(400, "InvalidRequestException", "bad"), "InvalidRequest"),
        (refusal(404, "ResourceNotFoundException", "bad"), "NotFound"),
        (refusal(413, "", "bad"), "Refused"),
    ],
)
def test_a_draft_that_connect_refuses_to_make_is_a_dead_letter_that_was_never_tried(
    world: World, answer: Any, reason: str
) -> None:
    world.connect.create_answers = iter([answer])
    assert world.deliver()
    assert world.letter["Reason"] == reason
    assert world.letter["Detail"].startswith("CreateContact: ")
    assert "FirstTriedAt" not in world.letter


def test_a_related_contact_may_be_as_new_as_the_message(world: World) -> None:
    world.body = drafted(RelatedContactId="inbound-1")
    world.connect.create_answers = iter([NOT_FOUND, NOT_FOUND])
    assert not world.deliver()
    assert world.cause == "ContactNotYetKnown"
    world.now = SENT_AT + 300
    assert world.deliver()
    assert world.letter["Reason"] == "NotFound"


def test_a_throttled_create_contact_slows_down_and_starts_again_with_a_read(world: World) -> None:
    reads: list[Any] = []
    world.table.get_answers = [lambda: reads.append(1), lambda: reads.append(1)]
    world.connect.create_answers = iter([refusal(429)])
    assert world.deliver()
    assert len(world.connect.created) == 2
    assert len(reads) == 2
    assert len({call["ClientToken"] for call in world.connect.created}) == 2
    assert world.clock.slept != []


def test_a_full_instance_is_waited_for_and_a_full_user_is_not(world: World) -> None:
    world.connect.create_answers = iter([refusal(402), refusal(402)])
    assert world.deliver()
    assert len(world.connect.created) == 3
    world = World(body=drafted(InitiationMethod="OUTBOUND", UserInfo={"UserId": "user-1"}))
    world.connect.create_answers = iter([refusal(402)])
    assert not world.deliver()
    assert world.cause == "UserFull"
    assert len(world.connect.created) == 1


def test_a_delivery_starts_only_if_the_longest_one_would_end_in_time(world: World) -> None:
    assert not world.deliver(seconds_left=DELIVERY_SECONDS - 1)
    assert (world.connect.created, world.table.items) == ([], {})
    assert world.deliver(seconds_left=DELIVERY_SECONDS)


def test_the_longest_times_are_those_of_the_calls() -> None:
    assert (SECONDS_BEFORE_ATTEMPT, SECONDS_AFTER_ATTEMPT, DELIVERY_SECONDS) == (28, 46, 86)


def test_drafts_that_cannot_be_stopped_hold_others_back_from_the_fourth_on(world: World) -> None:
    for number in range(4):
        world.connect.answers = iter([refusal(413)])
        world.connect.stop_answers = iter([refusal(400, "InvalidRequestException")])
        assert world.deliver(message_id=f"m-{number}", receives=1)
    assert len(world.connect.created) == 4
    assert not world.deliver(message_id="m-5", receives=1)
    assert world.cause == "DraftsHeld"


@pytest.mark.parametrize("status", [404, 410])
def test_a_contact_that_is_gone_needs_no_stop(world: World, status: int) -> None:
    for number in range(5):
        world.connect.answers = iter([refusal(413)])
        world.connect.stop_answers = iter([refusal(status)])
        assert world.deliver(message_id=f"m-{number}", receives=1)
    assert len(world.connect.created) == 5


def test_a_hold_grows_with_each_failure_after_it_and_a_sent_reply_makes_it_short_again() -> None:
    now = 1000.0
    hold = Hold(lambda: now)
    for seconds in (*HOLDS, HOLDS[-1]):
        hold.failed()
        now += seconds - 1
        hold.failed()  # changes nothing
        assert hold.is_on()
        now += 1
        assert not hold.is_on()
    hold.accepted()
    hold.failed()
    now += HOLDS[0]
    assert not hold.is_on()


def test_during_a_hold_a_reply_that_has_a_draft_is_attempted(world: World) -> None:
    world.connect.answers = iter([refusal(403, "AccessDeniedException")])
    assert not world.deliver()
    assert not world.deliver(message_id="m-2", receives=1)
    assert world.cause == "DraftsHeld"
    assert world.deliver()


def test_the_hash_of_a_reply_is_that_of_its_json_in_any_order() -> None:
    body = drafted(Attributes={"a": "\xe9", "b": "\N{GRINNING FACE}"})
    assert hash_of(body) == hash_of(dict(reversed(body.items())))
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    assert hash_of(body) == sha256(canonical.encode()).hexdigest()
    assert hash_of(body) != hash_of(drafted())


def test_no_log_or_event_names_a_person(world: World) -> None:
    world.body = drafted(Attributes={"who": PERSONAL[1]})
    world.connect.answers = iter([LOST, LOST])
    world.deliver()
    world.connect.answers = iter([refusal(413, "", PERSONAL[0])])
    world.deliver()
    printed = world.log.getvalue() + json.dumps(world.bus.taken)
    assert not any(personal in printed for personal in PERSONAL)
