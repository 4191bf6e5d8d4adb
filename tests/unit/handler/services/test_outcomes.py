import json
from types import SimpleNamespace
from typing import Any

import fastjsonschema
import pytest

from contract.dead_letter import Reason
from handler.message import Message
from handler.services.outcomes import CALL_SECONDS, TRY_SECONDS, Outcomes, event_detail
from handler.verdict import AlreadySent, DeadLetter, Sent
from local.aws import ROOT
from tests.fakes.event_bus import FakeEventBus
from tests.fakes.function import FakeClock
from tests.samples import PERSONAL, record

NOW = 1_800_000_000.0
VERDICTS: list[Any] = [
    Sent("contact-1", "request-1"),
    AlreadySent("request-2"),
    DeadLetter(Reason.NOT_FOUND, PERSONAL[0], "request-3"),
    DeadLetter(Reason.INVALID_REPLY, PERSONAL[0], connect_called=False),
]
SCHEMAS = {
    kind: fastjsonschema.compile(json.loads((ROOT / "contract" / f"{name}.schema.json").read_text()))
    for kind, name in (("Reply Sent", "reply_sent"), ("Reply Dead-Lettered", "reply_dead_lettered"))
}


def message(token: str | None = None) -> Message:
    attributes = {"ClientToken": {"dataType": "String", "stringValue": token}} if token is not None else {}
    return Message.from_record({**record(message_id="m-1"), "messageAttributes": attributes})


def outcomes(bus: FakeEventBus, lost: list[Any], clock: FakeClock | None = None) -> Outcomes:
    observability: Any = SimpleNamespace(outcomes_lost=lambda count, error: lost.append((count, error)))
    return Outcomes("bus", lambda: bus, observability, lambda: NOW, (clock or FakeClock()).sleep)  # type: ignore[arg-type, return-value] # the one operation


def lost_of(bus: FakeEventBus, *verdicts: Any, seconds_left: float = 600, clock: FakeClock | None = None) -> list[Any]:
    """Record and publish; return what is lost."""
    lost: list[Any] = []
    recorded = outcomes(bus, lost, clock)
    for verdict in verdicts:
        recorded.record(message(), verdict)
    recorded.publish(lambda: seconds_left)
    assert recorded._pending == []  # noqa: SLF001 - the next invocation must not publish them again
    return lost


@pytest.mark.parametrize("verdict", VERDICTS)
def test_an_event_keeps_its_schema_and_names_ids_alone(verdict: Any) -> None:
    bus = FakeEventBus()
    assert lost_of(bus, verdict) == []
    (entry,) = bus.taken
    assert (entry["Source"], entry["EventBusName"]) == ("reply-courier", "bus")
    SCHEMAS[entry["DetailType"]](json.loads(entry["Detail"]))
    assert not any(personal in entry["Detail"] for personal in PERSONAL)


def test_the_id_is_the_same_whenever_the_outcome_is_published() -> None:
    ids = [event_detail(message("t-1"), verdict, now)["metadata"]["id"] for verdict in VERDICTS for now in (1.0, 2.0)]  # type: ignore[index] # a mapping
    assert ids == [f"m-1/{kind}" for kind in ("Sent", "AlreadySent", "DeadLetter", "DeadLetter") for _ in range(2)]


def test_a_token_that_could_be_an_address_is_left_out() -> None:
    detail = event_detail(message(PERSONAL[0]), Sent(PERSONAL[0], "r"), NOW)
    assert PERSONAL[0] not in json.dumps(detail)
    assert detail["metadata"]["id"] == "m-1/Sent"  # type: ignore[index] # a mapping


def test_all_of_a_batch_are_published_in_one_call() -> None:
    bus = FakeEventBus()
    lost_of(bus, *VERDICTS)
    assert [len(call) for call in bus.calls] == [4]


def test_what_the_bus_refuses_is_published_again_and_nothing_else() -> None:
    bus = FakeEventBus(refuse=lambda call, entry: call == 1 and entry in {1, 3})
    clock = FakeClock()
    assert lost_of(bus, *VERDICTS, clock=clock) == []
    assert [len(call) for call in bus.calls] == [4, 2]
    assert clock.slept == [0.0, 0.2]


def test_what_the_bus_never_takes_is_counted_and_given_up() -> None:
    bus = FakeEventBus(refuse=lambda _call, entry: entry == 0)
    assert lost_of(bus, *VERDICTS) == [(1, "InternalFailure")]
    assert len(bus.calls) == 3


def test_no_failure_of_the_bus_escapes() -> None:
    def fail() -> None:
        raise RuntimeError(PERSONAL[0])

    assert lost_of(FakeEventBus(before=fail), *VERDICTS) == [(4, "RuntimeError")]


def test_without_time_outcomes_are_lost_and_the_invocation_ends() -> None:
    bus = FakeEventBus()
    assert lost_of(bus, *VERDICTS, seconds_left=TRY_SECONDS - 0.1) == [(4, "NoTimeLeft")]
    assert bus.calls == []
    assert TRY_SECONDS < CALL_SECONDS


def test_more_than_ten_are_published_ten_by_ten() -> None:
    bus = FakeEventBus()
    lost_of(bus, *VERDICTS, *VERDICTS, *VERDICTS)
    assert [len(call) for call in bus.calls] == [10, 2]


def test_without_a_bus_nothing_is_published() -> None:
    def unused() -> Any:
        raise AssertionError

    silent = Outcomes("", unused, unused, unused, unused)  # type: ignore[arg-type] # none of them is used
    silent.record(message(), VERDICTS[0])
    silent.publish(lambda: 600)


def test_an_answer_that_cannot_be_read_does_not_escape_either() -> None:
    bus = FakeEventBus()
    bus.put_events = lambda **_: {"Entries": []}  # type: ignore[method-assign]
    assert lost_of(bus, *VERDICTS) == [(4, "ValueError")]
