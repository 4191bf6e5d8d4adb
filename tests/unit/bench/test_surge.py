"""The table "surge": its settings, what it counts, and its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.load import count, do_in_time, each_second
from bench.scenario import Result
from bench.surge import Pair, Setting, to_markdown

if TYPE_CHECKING:
    from collections.abc import Sequence


def test_the_outage_and_the_other_caller_come_when_the_explanation_says() -> None:
    assert Setting(2, 0.15, "outage", 600).scenario.outage == (200, 260)
    assert Setting(2, 0.15, "other-caller", 300).scenario.other_from == 150
    plain = Setting(2, 0.6, "none", 300).scenario
    assert (plain.outage, plain.other_from, plain.latency) == (None, None, 0.6)


def test_a_cell_holds_our_figure_and_the_peers() -> None:
    setting = Setting(2, 0.15, "none", 100)
    accepted = [n / 2 for n in range(200)]
    ours = Result(accepted, calls=200, receives=210, billed_seconds=100)
    peers = Result(accepted, calls=400, receives=300, billed_seconds=50, throttled=200, throttled_alone=40, dead=3)
    (row,) = [row for row in to_markdown([Pair(setting, ours, peers)]).splitlines() if row.startswith("| 2/s")]
    assert [cell.strip() for cell in row.strip("|").split("|")][2:] == [
        "1.000 / 2.000",
        "1.050 / 1.500",
        "0.500 / 0.250",
        "0.0% / 50.0%",
        "0.0% / 10.0%",
        "0 / 3",
        "- / -",
    ]


def test_replies_arrive_in_their_second_and_in_their_order() -> None:
    put: list[Sequence[str]] = []
    events = list(each_second([0.5, 0.9, 3.0, 3.0, 4.2], list("abcde"), put.append))
    assert [at for at, _ in events] == [0, 3, 4]
    do_in_time(0, reversed(events))  # long ago, so nothing waits
    assert put == [["a", "b"], ["c", "d"], ["e"]]


def test_the_other_callers_calls_are_not_ours() -> None:
    def call(contact: str, at: float, error: str | None = None) -> dict[str, object]:
        return {"contact_id": contact, "at": 1000.0 + at, "error": error, "accepted": error is None}

    throttled = "ThrottlingException"
    calls = [
        call("surge-1", 1),
        call("surge-2", 2, throttled),
        call("other-1", 3),
        call("surge-2", 4, throttled),
        call("other-2", 5, throttled),
        call("surge-2", 6),
        call("surge-3", 7, "ServiceUnavailable"),
    ]
    result = count(calls, start=1000.0, other_from=3.0)
    assert (result.accepted, result.others, result.others_asked) == ([1, 6], [3], [3, 5])
    assert (result.calls, result.throttled, result.throttled_alone) == (5, 2, 1)
    assert len(result.called) == 5
    assert count(calls, start=1000.0, other_from=None).throttled_alone == 2
