"""Drafts: their quotas, what counts as active, how they end, and each answer that AWS does not document."""

import json
from typing import TYPE_CHECKING

import pytest

from local.connect.routes import answer_to
from tests.samples import INSTANCE_ID
from tests.unit.local.connect.lab import HOUR, Lab, outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.http_server import Answer

FULL = (402, "ServiceQuotaExceededException")
UNKNOWN = (404, "ResourceNotFoundException")
CONFLICT = (409, "IdempotencyException")


@pytest.mark.parametrize(("operation", "burst"), [("create", 5), ("stop", 15), ("describe", 15)])
def test_each_operation_has_a_quota_of_its_own(lab: Lab, operation: str, burst: int) -> None:
    lab.control("PUT", "settings", {"create_rate": 2, "create_burst": 5})
    calls: dict[str, Callable[[], Answer]] = {
        "create": lab.create,
        "stop": lambda: lab.stop("a"),
        "describe": lambda: lab.describe("a"),
        "send": lambda: lab.send("b", "t"),
    }
    statuses = [calls[operation]().status for _ in range(burst + 1)]

    assert [status == 429 for status in statuses] == [False] * burst + [True]
    assert all(call().status != 429 for name, call in calls.items() if name != operation)


def test_drafts_inbound_and_sent_emails_count_as_active_until_they_end(lab: Lab) -> None:
    lab.control("PUT", "settings", {"active_seconds": 10})
    lab.send("a", "t")
    lab.control("POST", "inbound", {"count": 2, "active_seconds": 20})
    lab.stop("b")

    assert {"active": 4, "drafts": 1, "inbound": 2, "sent": 1}.items() <= lab.active().items()
    lab.now += 10
    assert {"active": 3, "drafts": 1, "inbound": 2, "sent": 0}.items() <= lab.active().items()
    lab.now += 10
    assert {"active": 1, "drafts": 1, "inbound": 0}.items() <= lab.active().items()
    lab.now += 12 * HOUR
    assert lab.active()["active"] == 0


def test_a_draft_or_inbound_email_above_the_capacity_is_refused_but_not_the_send_of_a_draft(lab: Lab) -> None:
    lab.control("PUT", "settings", {"capacity": 4, "active_seconds": 10})
    draft = lab.made()

    assert outcome(lab.create()) == FULL
    assert lab.control("POST", "inbound", {"count": 3}) == {"added": 0, "refused": 3}
    assert lab.send(draft, "t").status == 200
    assert outcome(lab.create()) == FULL
    lab.now += 10
    assert lab.control("POST", "inbound", {"count": 3}) == {"added": 1, "refused": 2}
    assert lab.active()["refused_inbound"] == 5


def test_the_peaks_stay_until_the_record_is_cleared(lab: Lab) -> None:
    lab.control("POST", "inbound", {"active_seconds": 1})
    lab.made()
    for contact_id in "abc":
        lab.stop(contact_id)
    lab.now += 1

    assert (lab.active()["peak_drafts"], lab.active()["peak_active"]) == (4, 5)
    lab.control("DELETE", "calls")
    assert (lab.active()["peak_drafts"], lab.active()["peak_active"]) == (1, 1)


def test_a_user_has_up_to_twenty_drafts_at_once(lab: Lab) -> None:
    ada, ben = ({"InitiationMethod": "OUTBOUND", "UserInfo": {"UserId": user}} for user in ("ada", "ben"))
    drafts = [lab.made(**ada) for _ in range(20)]

    assert outcome(lab.create(**ada)) == FULL
    assert [lab.create(**ben).status, lab.create().status] == [200, 200]
    lab.send(drafts[0], "t")
    lab.stop(drafts[1])
    assert [lab.create(**ada).status for _ in range(3)] == [200, 200, 402]


def test_a_stopped_draft_cannot_be_sent_and_ends_when_it_was_stopped(lab: Lab) -> None:
    lab.now += 7
    assert lab.stop("a").status == 200

    assert outcome(lab.send("a", "t")) == UNKNOWN
    described = json.loads(lab.describe("a").body)["Contact"]
    assert described["DisconnectTimestamp"] == described["InitiationTimestamp"] + 7


def test_what_is_no_draft_cannot_be_stopped(lab: Lab) -> None:
    lab.send("a", "t")
    lab.stop("b")
    lab.control("POST", "drafts", {"contact_ids": ["expired"], "expires_in_seconds": 0})

    for contact_id in ("a", "b", "expired", "unknown"):
        assert outcome(lab.stop(contact_id)) == (410, "ContactNotFoundException")


@pytest.mark.parametrize(("setting", "answer"), [("refuse", (400, "InvalidRequestException")), ("ignore", (200, None))])
def test_stop_contact_can_leave_drafts_alive(lab: Lab, setting: str, answer: tuple[int, str | None]) -> None:
    lab.control("PUT", "settings", {"stop": setting})

    assert outcome(lab.stop("a")) == answer
    assert lab.control("GET", "drafts")["contact_ids"] == ["a", "b", "c"]
    assert lab.send("a", "t").status == 200


def test_a_new_contact_can_be_unknown_for_a_while(lab: Lab) -> None:
    lab.control("PUT", "settings", {"appear_seconds": 60})
    late, stopped = lab.made(), lab.made()

    assert (outcome(lab.send(late, "t")), outcome(lab.describe(late))) == (UNKNOWN, UNKNOWN)
    assert lab.stop(stopped).status == 200
    lab.now += 60
    assert json.loads(lab.describe(late).body)["Contact"]["Id"] == late
    assert lab.send(late, "t").status == 200


@pytest.mark.parametrize(
    ("setting", "repeated", "changed"),
    [
        ("same_contact", (200, None), CONFLICT),
        ("new_contact", (200, None), (200, None)),
        ("conflict", CONFLICT, CONFLICT),
    ],
)
def test_a_repeated_create_contact_has_three_possible_answers(
    lab: Lab, setting: str, repeated: tuple[int, str | None], changed: tuple[int, str | None]
) -> None:
    lab.control("PUT", "settings", {"repeated_create": setting})
    lab.create(ClientToken="t")

    assert outcome(lab.create(ClientToken="t")) == repeated
    assert outcome(lab.create(ClientToken="t", Name="other")) == changed
    assert lab.active()["drafts"] - 3 == (3 if setting == "new_contact" else 1)


@pytest.mark.parametrize(("scope", "status"), [("token", 409), ("token_and_contact", 200)])
def test_a_token_is_remembered_alone_or_with_its_contact(lab: Lab, scope: str, status: int) -> None:
    lab.control("PUT", "settings", {"token_scope": scope})
    lab.send("a", "t")

    assert lab.send("b", "t").status == status
    assert lab.send("a", "t").status == 200
    assert len(lab.sent()) == (2 if status == 200 else 1)


@pytest.mark.parametrize(("scope", "status"), [("token", 409), ("token_and_contact", 200)])
def test_a_refused_token_is_remembered_alone_or_with_its_contact(lab: Lab, scope: str, status: int) -> None:
    lab.control("PUT", "settings", {"token_scope": scope, "refusals": "remember"})
    lab.send("unknown", "t")

    assert lab.send("a", "t").status == status
    assert outcome(lab.send("unknown", "t")) == CONFLICT


@pytest.mark.parametrize(("first", "status"), [("token", 200), ("contact", 400)])
def test_a_repeat_on_its_sent_contact_meets_the_token_or_the_contact_first(lab: Lab, first: str, status: int) -> None:
    lab.control("PUT", "settings", {"checked_first": first})
    lab.send("a", "t")

    assert lab.send("a", "t").status == status
    assert len(lab.sent()) == 1


@pytest.mark.parametrize("fault", ["internal_error", "drop_before"])
def test_a_fault_of_another_operation_strikes_before_or_after_it_is_done(lab: Lab, fault: str) -> None:
    for operation in ("CreateContact", "StopContact"):
        lab.control(
            "POST",
            "faults",
            [{"fault": fault, "operation": operation}, {"fault": "drop_after", "operation": operation}],
        )
    before = lab.active()["drafts"]

    assert lab.send("a", "t").status == 200
    assert [lab.create().status == 200, lab.active()["drafts"]] == [False, before - 1]
    assert [lab.create().status, lab.active()["drafts"]] == [None, before]
    assert [lab.stop("b").status == 200, lab.active()["drafts"]] == [False, before]
    assert [lab.stop("b").status, lab.active()["drafts"]] == [None, before - 1]


def test_calls_are_recorded_by_operation_and_those_of_the_send_alone(lab: Lab) -> None:
    lab.create(ClientToken="t")
    lab.create(Channel="VOICE")
    lab.describe("id-2")
    lab.stop("unknown")

    def recorded(operation: str) -> list[tuple[object, ...]]:
        calls = lab.control("GET", f"calls?operation={operation}")["calls"]
        return [
            (call["n"], call["contact_id"], call["client_token"], call["status"], call["accepted"]) for call in calls
        ]

    assert recorded("CreateContact") == [(1, "id-2", "t", 200, True), (2, None, None, 400, False)]
    assert recorded("DescribeContact") == [(3, "id-2", None, 200, True)]
    assert recorded("StopContact") == [(4, "unknown", None, 410, False)]
    assert lab.control("GET", "calls")["calls"] == []


def test_a_contact_id_of_any_characters_can_be_described(lab: Lab) -> None:
    lab.control("POST", "drafts", {"contact_ids": ["a b/c"]})
    path = f"/contacts/{INSTANCE_ID}/a%20b%2Fc"

    assert json.loads(answer_to(lab.connect, "GET", path, b"").body)["Contact"]["Id"] == "a b/c"
