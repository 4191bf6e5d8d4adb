from __future__ import annotations

import pytest

from courier.doctor import watch
from courier.doctor.watch import Alarm


def alarm(name: str, state: str = "OK", *, tells: bool = True) -> Alarm:
    return Alarm(f"reply-courier-Alarms{name}1A2B3C", f"Something is wrong. Runbook: {name}.", state, tells)


def judged(*alarms: Alarm, of_the_stack: int | None = None) -> list[tuple[str, str]]:
    found = watch.alarms(len(alarms) if of_the_stack is None else of_the_stack, alarms)
    return [(finding.verdict.value, finding.seen) for finding in found]


def test_alarms_that_are_ok_are_one_line() -> None:
    assert judged(alarm("A"), alarm("B")) == [("good", "all 2 are OK")]


def test_each_alarm_that_has_gone_off_is_named_with_its_section_of_the_runbook() -> None:
    found = watch.alarms(3, [alarm("A", "ALARM"), alarm("B"), alarm("C", "ALARM")])
    assert [(finding.verdict, finding.seen, finding.advice) for finding in found] == [
        ("bad", "A is in ALARM", "docs/runbook.md, A"),
        ("bad", "C is in ALARM", "docs/runbook.md, C"),
    ]


def test_alarms_without_data_are_unknown() -> None:
    assert judged(alarm("A"), alarm("B", "INSUFFICIENT_DATA")) == [
        ("unknown", "INSUFFICIENT_DATA, just begun or without data: B")
    ]


def test_alarms_that_tell_nobody_or_are_gone_are_bad() -> None:
    assert judged(alarm("A", tells=False), of_the_stack=2) == [
        ("bad", "1 of 2 are gone: deleted by hand"),
        ("bad", "tell nobody, since their actions are off: A"),
    ]


def test_a_stack_without_alarms_is_unknown() -> None:
    assert judged() == [("unknown", "the stack has no alarms")]


def test_an_alarm_that_names_no_section_is_told_by_its_own_name() -> None:
    assert Alarm("mine", "", "OK").in_the_runbook == "mine"


@pytest.mark.parametrize(
    ("topics", "arns", "verdict", "seen"),
    [
        (1, ["arn:1", "arn:2"], "good", "2 confirmed"),
        (1, ["arn:1", "Deleted"], "good", "1 confirmed"),
        (1, ["arn:1", "PendingConfirmation"], "bad", "1 of 2 not confirmed: nobody is told there"),
        (1, ["Deleted"], "bad", "nobody has subscribed to the alarms"),
        (1, [], "bad", "nobody has subscribed to the alarms"),
        (0, [], "unknown", "the alarms name no topic"),
    ],
)
def test_subscriptions_are_judged(topics: int, arns: list[str], verdict: str, seen: str) -> None:
    found = watch.subscriptions(topics, arns)
    assert (found.verdict, found.seen) == (verdict, seen)
