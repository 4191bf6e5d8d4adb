"""Pausing and resuming, on a mapping that takes its time as Lambda's do."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from courier.aws import Queues
from courier.pause import MAX_WAIT_SECONDS, MappingTimeoutError, SendingState, Switch
from tests.fakes.faults import refusal
from tests.fakes.function import FakeClock

NOW = 1_800_000_000
ON_THE_WAY = {True: "Enabling", False: "Disabling"}
END = {True: "Enabled", False: "Disabled"}


@dataclass
class FakeAws:
    """A mapping that needs some looks to change its state, a function, and a queue with tags."""

    takes: int = 3
    busy: int = 0
    enabled: bool = True
    looks_left: int = 0
    tags: dict[str, str] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)

    def get_event_source_mapping(self, *, UUID: str) -> Any:  # noqa: N803 - boto3's names, here and below
        assert UUID == "mapping"
        self.looks_left = max(0, self.looks_left - 1)
        return {"State": (ON_THE_WAY if self.looks_left else END)[self.enabled]}

    def update_event_source_mapping(self, *, UUID: str, Enabled: bool) -> None:  # noqa: N803
        assert UUID == "mapping"
        if self.busy:
            self.busy -= 1
            raise refusal(400, "ResourceInUseException")
        self.called.append("enable" if Enabled else "disable")
        if Enabled != self.enabled:
            self.enabled, self.looks_left = Enabled, self.takes

    def get_function_configuration(self, *, FunctionName: str) -> Any:  # noqa: N803
        assert FunctionName == "function"
        return {"Timeout": 92}

    def list_queue_tags(self, *, QueueUrl: str) -> Any:  # noqa: N803
        assert QueueUrl == "replies"
        return {"Tags": self.tags} if self.tags else {}

    def tag_queue(self, *, QueueUrl: str, Tags: dict[str, str]) -> None:  # noqa: N803
        assert QueueUrl == "replies"
        self.called.append("tag")
        self.tags |= Tags

    def untag_queue(self, *, QueueUrl: str, TagKeys: list[str]) -> None:  # noqa: N803
        assert QueueUrl == "replies"
        self.tags = {name: value for name, value in self.tags.items() if name not in TagKeys}


def account(aws: FakeAws, caller: str = "assumed-role/Operator/ada") -> Any:
    outputs = {"MappingId": "mapping", "FunctionName": "function"}
    return SimpleNamespace(
        functions=aws, sqs=aws, queues=Queues("replies", "dead"), caller=caller, output=outputs.__getitem__
    )


def switch(aws: FakeAws, clock: FakeClock, caller: str = "assumed-role/Operator/ada") -> Switch:
    return Switch(account(aws, caller), clock, clock.sleep)


def test_a_pause_disables_first_notes_who_and_returns_when_it_is_disabled() -> None:
    aws, clock = FakeAws(), FakeClock()
    sending = switch(aws, clock).pause(NOW)
    assert sending == SendingState("Disabled", "assumed-role/Operator/ada", "2027-01-15T08:00:00.000+00:00")
    assert aws.called == ["disable", "tag"]
    assert aws.looks_left == 0
    assert clock.slept


def test_it_waits_for_as_long_as_an_invocation_lasts_at_most() -> None:
    aws, clock = FakeAws(), FakeClock()
    off = switch(aws, clock)
    assert off.longest_invocation() == 92
    off.wait_for_invocations(92)
    assert sum(clock.slept) == 92


def test_a_second_pause_leaves_who_was_first() -> None:
    aws, clock = FakeAws(), FakeClock()
    switch(aws, clock).pause(NOW)
    assert switch(aws, clock, "user/grace").pause(NOW + 60).paused_by == "assumed-role/Operator/ada"


def test_a_pause_of_an_enabled_mapping_is_a_new_one_whatever_the_tags_say() -> None:
    aws, clock = FakeAws(), FakeClock()
    switch(aws, clock).pause(NOW)
    aws.enabled = True
    assert switch(aws, clock, "user/grace").pause(NOW + 60).paused_by == "user/grace"


def test_a_resume_enables_and_forgets_who_paused_it_and_no_other_tag() -> None:
    aws, clock = FakeAws(tags={"Team": "support"}), FakeClock()
    switch(aws, clock).pause(NOW)
    assert switch(aws, clock).resume() == SendingState("Enabled", None, None)
    assert aws.tags == {"Team": "support"}


def test_a_mapping_that_lambda_still_works_on_is_asked_again() -> None:
    aws, clock = FakeAws(busy=2), FakeClock()
    assert switch(aws, clock).pause(NOW).is_off
    assert aws.called == ["disable", "tag"]


def test_a_mapping_that_does_not_get_there_in_time_is_reported() -> None:
    aws, clock = FakeAws(takes=10_000), FakeClock()
    with pytest.raises(MappingTimeoutError, match="still Disabling"):
        switch(aws, clock).pause(NOW)
    assert sum(clock.slept) == pytest.approx(MAX_WAIT_SECONDS, abs=5)
    assert aws.tags
