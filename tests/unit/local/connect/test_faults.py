"""Which calls a fault strikes, and how they are answered."""

import json

import pytest

from tests.unit.local.connect.lab import Lab, outcome


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        ("throttle", 429, "ThrottlingException"),
        ("too_many_requests", 429, "TooManyRequestsException"),
        ("internal_error", 500, "InternalServiceException"),
        ("unavailable", 503, None),
        ("access_denied", 403, "AccessDeniedException"),
        ("expired_token", 403, "ExpiredTokenException"),
        ("quota_exceeded", 402, "ServiceQuotaExceededException"),
        ("attachment_not_approved", 400, "InvalidRequestException"),
        ("invalid_request", 400, "InvalidRequestException"),
        ("not_found", 404, "ResourceNotFoundException"),
        ("conflict", 409, "IdempotencyException"),
        ("drop_before", None, None),
        ("hang", None, None),
        ("garbage", 200, None),
    ],
)
def test_a_fault_before_acceptance_answers_once_and_sends_nothing(
    lab: Lab, name: str, status: int | None, error: str | None
) -> None:
    lab.control("POST", "faults", {"fault": name})

    assert outcome(lab.send("a", "t")) == (status, error)
    assert lab.sent() == []
    (call,) = lab.control("GET", "calls")["calls"]
    assert (call["status"], call["error"], call["accepted"]) == (status, error, False)
    assert lab.send("a", "t").status == 200
    assert lab.sent() == [("a", "t")]


@pytest.mark.parametrize(("name", "status"), [("drop_after", None), ("hang_after", 200), ("garbage_after", 200)])
def test_a_fault_after_acceptance_spoils_the_answer_to_an_email_that_is_sent(
    lab: Lab, name: str, status: int | None
) -> None:
    lab.control("POST", "faults", {"fault": name, "seconds": 7})

    answer = lab.send("a", "t")

    assert (answer.status, answer.wait_seconds) == (status, 7 if name == "hang_after" else 0)
    assert lab.sent() == [("a", "t")]
    assert lab.control("GET", "calls")["calls"][0]["accepted"] is True
    assert json.loads(lab.send("a", "t").body) == {"ContactId": "a"}


def test_a_fault_after_acceptance_waits_for_a_request_that_is_accepted(lab: Lab) -> None:
    lab.control("POST", "faults", {"fault": "drop_after"})

    assert lab.send("unknown", "t").status == 404
    assert lab.send("a", "t").status is None


def test_faults_strike_the_contact_or_the_token_they_are_for_as_often_as_they_say(lab: Lab) -> None:
    lab.control(
        "POST",
        "faults",
        [
            {"fault": "conflict", "contact_id": "a", "times": 2},
            {"fault": "throttle", "client_token": "u", "times": None},
        ],
    )

    assert [lab.send("a", "t").status for _ in range(3)] == [409, 409, 200]
    assert [lab.send("b", "u").status for _ in range(3)] == [429, 429, 429]
    assert [fault["fault"] for fault in lab.control("GET", "faults")["faults"]] == ["throttle"]
    lab.control("DELETE", "faults")
    assert lab.send("b", "u").status == 200


def test_an_answer_of_any_kind_can_be_ordered(lab: Lab) -> None:
    lab.control("POST", "faults", {"fault": "answer", "status": 418, "error": "Teapot", "message": "short and stout"})

    answer = lab.send()

    assert outcome(answer) == (418, "Teapot")
    assert json.loads(answer.body) == {"Message": "short and stout"}


def test_probable_faults_are_drawn_the_same_for_the_same_seed(lab: Lab) -> None:
    def run() -> list[int | None]:
        lab.control("PUT", "settings", {"seed": 7})
        return [lab.send("unknown", "t").status for _ in range(50)]

    lab.control("POST", "faults", {"fault": "throttle", "probability": 0.5, "times": None})

    first = run()
    assert run() == first
    assert set(first) == {429, 404}
