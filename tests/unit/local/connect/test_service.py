"""What holds for every request."""

import contextlib
import threading

from local.connect.service import EmulatedConnect
from tests.unit.local.connect.lab import Lab


def test_latency_is_asked_for_on_every_answer(lab: Lab) -> None:
    lab.control("PUT", "settings", {"latency_ms": 150})

    assert [lab.send("a", "t").wait_seconds, lab.send("", "").wait_seconds, lab.create().wait_seconds] == [0.15] * 3


def test_requests_are_decided_one_at_a_time() -> None:
    two_at_once, overlaps = threading.Barrier(2, timeout=0.2), []

    def clock() -> float:
        with contextlib.suppress(threading.BrokenBarrierError):
            two_at_once.wait()
            overlaps.append("two requests read the clock at once")
        return 0.0

    connect = EmulatedConnect(clock, new_id=str)
    callers = [threading.Thread(target=connect.start_outbound_email_contact, args=[b"{}"]) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert overlaps == []
