from __future__ import annotations

import pytest

from courier.doctor import parts
from courier.doctor.finding import Finding, Verdict, bad, good, unknown
from courier.mapping import Sending
from local.aws import ROOT


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("CREATE_COMPLETE", "good"),
        ("UPDATE_COMPLETE", "good"),
        ("IMPORT_COMPLETE", "good"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "good"),
        ("UPDATE_IN_PROGRESS", "unknown"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "unknown"),
        ("UPDATE_ROLLBACK_COMPLETE", "bad"),
        ("UPDATE_ROLLBACK_FAILED", "bad"),
        ("ROLLBACK_COMPLETE", "bad"),
        ("DELETE_FAILED", "bad"),
    ],
)
def test_a_stacks_status_is_judged_and_told(status: str, verdict: str) -> None:
    found = parts.stack(status)
    assert found.verdict == verdict
    assert status in found.seen


def test_a_pause_is_bad_and_says_who() -> None:
    found = parts.sending(Sending("Disabled", "user/ada", "2026-11-26T10:00:00.000+00:00"))
    assert found == bad("sending", "paused by user/ada since 2026-11-26T10:00:00.000+00:00", "courier resume")


@pytest.mark.parametrize(
    ("sending", "verdict", "told"),
    [
        (Sending("Enabled"), "good", "enabled"),
        (Sending("Disabled"), "bad", "not by courier"),
        (Sending("Disabling"), "bad", "Disabling"),
        (Sending("Enabled", "user/ada", "then"), "bad", "switched on since"),
        (Sending("Enabling"), "unknown", "Enabling"),
        (Sending("Updating"), "unknown", "Updating"),
    ],
)
def test_a_mapping_is_judged(sending: Sending, verdict: str, told: str) -> None:
    found = parts.sending(sending)
    assert found.verdict == verdict
    assert told in found.seen


@pytest.mark.parametrize(
    ("state", "update", "verdict"),
    [
        ("Active", "Successful", "good"),
        ("Inactive", "Successful", "good"),  # Lambda puts away what has been idle for weeks, and fetches it again
        ("Pending", "Successful", "unknown"),
        ("Active", "InProgress", "unknown"),
        ("Failed", "Successful", "bad"),
        ("Active", "Failed", "bad"),
        (None, None, "unknown"),
    ],
)
def test_a_function_is_judged(state: str | None, update: str | None, verdict: str) -> None:
    assert parts.function(state, update).verdict == verdict


@pytest.mark.parametrize(
    ("invocations", "errors", "verdict", "seen"),
    [
        (None, None, "unknown", "no invocation"),
        (1200, 0, "good", "0 of 1,200"),
        (1200, None, "good", "0 of 1,200"),
        (1200, 3, "bad", "3 of 1,200"),
    ],
)
def test_errors_are_counted(invocations: float | None, errors: float | None, verdict: str, seen: str) -> None:
    found = parts.function_errors(invocations, errors, "/aws/lambda/f")
    assert found.verdict == verdict
    assert seen in found.seen


@pytest.mark.parametrize(
    ("sent", "not_now", "verdict", "seen", "advice"),
    [
        (0, {}, "good", "0 sent in the last 15 minutes", None),
        (7, {"AccessDenied": 0}, "good", "7 sent in the last 15 minutes", None),
        (
            7,
            {"AccessDenied": 1, "AttemptsThrottled": 2},
            "bad",
            "7 sent in the last 15 minutes, tries in vain: 2 Throttled, 1 AccessDenied",
            "docs/runbook.md, AccessDenied",
        ),
        (7, {"AttemptsThrottled": 2}, "good", "7 sent in the last 15 minutes, tries in vain: 2 Throttled", None),
        (
            0,
            {"AttemptsThrottled": 2, "ConnectTimedOut": 1_000},
            "bad",
            "0 sent in the last 15 minutes, tries in vain: 1,000 ConnectTimedOut, 2 Throttled",
            "docs/runbook.md, ConnectTimedOut",
        ),
    ],
)
def test_tries_are_bad_where_all_are_in_vain(
    sent: float, not_now: dict[str, float], verdict: str, seen: str, advice: str | None
) -> None:
    found = parts.tries(sent, not_now)
    assert (found.verdict, found.seen, found.advice) == (verdict, seen, advice)


@pytest.mark.parametrize("section", parts.NOT_NOW.values())
def test_each_cause_has_a_section_of_the_runbook(section: str) -> None:
    assert f"\n### {section}\n" in (ROOT / "docs" / "runbook.md").read_text()


@pytest.mark.parametrize(("allowed", "seen"), [("", "all are allowed"), ("*@example.com", "only *@example.com")])
def test_it_is_said_to_whom_the_function_sends(allowed: str, seen: str) -> None:
    assert parts.recipients(allowed).seen == seen


def test_an_instance_is_judged() -> None:
    assert parts.instance("ACTIVE") == good("instance", "ACTIVE")
    assert parts.instance("CREATION_IN_PROGRESS").verdict is Verdict.UNKNOWN
    assert parts.instance("CREATION_FAILED").verdict is Verdict.BAD
    assert parts.instance(None).verdict is Verdict.BAD


def test_an_instance_without_email_is_bad() -> None:
    assert parts.email_addresses(0).verdict is Verdict.BAD
    assert parts.email_addresses(1).seen == "the instance has 1 email address"
    assert parts.email_addresses(20).seen == "the instance has 20 email addresses"


def test_only_what_is_good_needs_no_advice() -> None:
    assert good("c", "s") == Finding("c", Verdict.GOOD, "s", None)
    assert unknown("c", "s", "a").to_json() == {"check": "c", "verdict": "unknown", "seen": "s", "next": "a"}
