"""The benchmarks' other caller of Connect's quota."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.other_caller import PREFIX, other_caller
from local.aws import LocalAws

if TYPE_CHECKING:
    from local.connect_control import ConnectControl

SOON = 0.01
PATIENCE = 60


def wait_for_calls(connect: ConnectControl, count: int) -> None:
    ends = time.monotonic() + PATIENCE
    while len(connect.calls) < count:
        assert time.monotonic() < ends, f"{len(connect.calls)} calls, where {count} were expected"
        time.sleep(SOON)


def test_it_replies_to_contacts_of_its_own_and_gives_up_what_is_throttled(connect: ConnectControl) -> None:
    connect.settings(rate=1e-9, burst=3)
    with other_caller(LocalAws(connect.url), connect, rate=500, begins=time.time(), contacts=10):
        wait_for_calls(connect, 10)
    assert len({call["contact_id"] for call in connect.calls}) == 10
    assert all(call["contact_id"].startswith(PREFIX) for call in connect.calls)
    assert sorted(call["status"] for call in connect.calls) == [200] * 3 + [429] * 7


def test_it_does_nothing_before_its_time(connect: ConnectControl) -> None:
    with other_caller(LocalAws(connect.url), connect, rate=500, begins=time.time() + 3600, contacts=10):
        pass
    assert connect.calls == []
