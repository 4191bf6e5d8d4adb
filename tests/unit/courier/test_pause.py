"""Pausing and resuming, on a mapping that takes its time as Lambda's do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from courier.pause import MAX_WAIT_SECONDS, MappingTimeoutError, SendingState, Switch
from tests.fakes.faults import refusal
from tests.fakes.function import FakeClock
from tests.fakes.sqs import FakeSqs
from tests.letters import account_on

NOW = 1_800_000_000
ON_THE_WAY = {True: "Enabling", False: "Disabling"}
END = {True: "Enabled", False: "Disabled"}


@dataclass
class FakeMapping:
    """Lambda with a function and its mapping, which needs some looks to change its state."""

    takes: int = 3
    busy: int = 0
    enabled: bool = True
    looks_left: int = 0
    sqs: FakeSqs = field(default_factory=FakeSqs)

    def get_event_source_mapping(self, *, UUID: str) -> Any:  # noqa: N803 - boto3's names, here and below
        assert UUID == "mapping"
        self.looks_left = max(0, self.looks_left - 1)
        return {"State": (ON_THE_WAY if self.looks_left else END)[self.enabled]}

    def update_event_source_mapping(self, *, UUID: str, Enabled: bool) -> None:  # noqa: N803
        assert UUID == "mapping"
        if self.busy:
            self.busy -= 1
            raise refusal(400, "ResourceInUseException")
        self.sqs.calls.append("enable" if Enabled else "disable")
        if Enabled != self.enabled:
            self.enabled, self.looks_left = Enabled, self.takes

    def get_function_configuration(self, *, FunctionName: str) -> Any:  # noqa: N803
        assert FunctionName == "function"
        return {"Timeout": 92}


def switch(mapping: FakeMapping, clock: FakeClock, caller: str = "assumed-role/Operator/ada") -> Switch:
    account = account_on(mapping.sqs)
    outputs = {"MappingId": "mapping", "FunctionName": "function"}
    account.__dict__.update(functions=mapping, caller=caller, output=outputs.__getitem__)
    return Switch(account, clock, clock.sleep)


def test_a_pause_disables_first_notes_who_and_returns_when_it_is_disabled() -> None:
    mapping, clock = FakeMapping(), FakeClock()
    sending = switch(mapping, clock).pause(NOW)
    assert sending == SendingState("Disabled", "assumed-role/Operator/ada", "2027-01-15T08:00:00.000+00:00")
    assert mapping.sqs.calls == ["disable", "tag_queue"]
    assert mapping.looks_left == 0
    assert clock.slept


def test_it_waits_for_as_long_as_an_invocation_lasts_at_most() -> None:
    mapping, clock = FakeMapping(), FakeClock()
    off = switch(mapping, clock)
    assert off.longest_invocation() == 92
    off.wait_for_invocations(92)
    assert sum(clock.slept) == 92


def test_a_second_pause_leaves_who_was_first() -> None:
    mapping, clock = FakeMapping(), FakeClock()
    switch(mapping, clock).pause(NOW)
    assert switch(mapping, clock, "user/grace").pause(NOW + 60).paused_by == "assumed-role/Operator/ada"


def test_a_pause_of_an_enabled_mapping_is_a_new_one_whatever_the_tags_say() -> None:
    mapping, clock = FakeMapping(), FakeClock()
    switch(mapping, clock).pause(NOW)
    mapping.enabled = True
    assert switch(mapping, clock, "user/grace").pause(NOW + 60).paused_by == "user/grace"


def test_a_resume_enables_and_forgets_who_paused_it_and_no_other_tag() -> None:
    mapping, clock = FakeMapping(sqs=FakeSqs(tags={"Team": "support"})), FakeClock()
    switch(mapping, clock).pause(NOW)
    assert switch(mapping, clock).resume() == SendingState("Enabled", None, None)
    assert mapping.sqs.tags == {"Team": "support"}


def test_a_mapping_that_lambda_still_works_on_is_asked_again() -> None:
    mapping, clock = FakeMapping(busy=2), FakeClock()
    assert switch(mapping, clock).pause(NOW).is_off
    assert mapping.sqs.calls == ["disable", "tag_queue"]


def test_a_mapping_that_does_not_get_there_in_time_is_reported() -> None:
    mapping, clock = FakeMapping(takes=10_000), FakeClock()
    with pytest.raises(MappingTimeoutError, match="still Disabling"):
        switch(mapping, clock).pause(NOW)
    assert sum(clock.slept) == pytest.approx(MAX_WAIT_SECONDS, abs=5)
    assert mapping.sqs.tags
