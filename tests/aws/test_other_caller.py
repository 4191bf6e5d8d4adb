"""The benchmarks' other caller of Connect's quota."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from bench.load import other_caller
from local.aws import LocalAws
from local.waiting import until

if TYPE_CHECKING:
    from local.connect.control_client import ConnectControl

CONTACTS = [f"contact-{n}" for n in range(1, 11)]


def test_it_replies_once_to_each_contact_and_gives_up_what_is_throttled(connect: ConnectControl) -> None:
    connect.settings(rate=1e-9, burst=3)
    with other_caller(LocalAws(connect.url), connect.url, rate=500, begins=time.time(), contacts=CONTACTS):
        until(lambda: len(connect.calls) >= 10, "10 calls are made")
    assert sorted(call["contact_id"] for call in connect.calls) == sorted(CONTACTS)
    assert sorted(call["status"] for call in connect.calls) == [200] * 3 + [429] * 7


def test_it_does_nothing_before_its_time(connect: ConnectControl) -> None:
    begins = time.time() + 0.3
    with other_caller(LocalAws(connect.url), connect.url, rate=500, begins=begins, contacts=CONTACTS):
        until(lambda: len(connect.calls) >= 3, "3 calls are made")
    assert all(call["at"] >= begins for call in connect.calls)


def test_a_call_that_fails_otherwise_is_no_measurement(connect: ConnectControl) -> None:
    with (
        pytest.raises(ClientError, match="ResourceNotFound"),
        other_caller(LocalAws(connect.url), connect.url, rate=500, begins=time.time(), contacts=["nobody"]),
    ):
        until(lambda: connect.calls, "a call is made")
