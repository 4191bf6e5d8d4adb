"""Which calls a fault strikes. What boto3 reads then is in tests/aws/test_emulated_connect.py."""

import json

import pytest

from tests.unit.local.connect.lab import Lab, outcome


@pytest.mark.parametrize(("name", "status"), [("hang", None), ("hang_after", 200)])
def test_a_hang_lasts_as_long_as_it_says(lab: Lab, name: str, status: int | None) -> None:
    lab.control("POST", "faults", {"fault": name, "seconds": 7})

    answer = lab.send()

    assert (answer.status, answer.wait_seconds) == (status, 7)


def test_a_fault_after_acceptance_waits_for_a_request_that_is_accepted(lab: Lab) -> None:
    lab.control("POST", "faults", {"fault": "drop_after"})

    assert lab.send("unknown", "t").status == 404
    assert lab.send("a", "t").status is None


def test_a_fault_strikes_its_contact_or_token_the_given_number_of_times(lab: Lab) -> None:
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


def test_a_fault_can_answer_with_any_status_and_error(lab: Lab) -> None:
    lab.control("POST", "faults", {"fault": "answer", "status": 418, "error": "Teapot", "message": "short and stout"})

    answer = lab.send()

    assert outcome(answer) == (418, "Teapot")
    assert json.loads(answer.body) == {"Message": "short and stout"}


def test_the_same_seed_gives_the_same_random_faults(lab: Lab) -> None:
    def run() -> list[int | None]:
        lab.control("PUT", "settings", {"seed": 7})
        return [lab.send("unknown", "t").status for _ in range(50)]

    lab.control("POST", "faults", {"fault": "throttle", "probability": 0.5, "times": None})

    first = run()
    assert run() == first
    assert set(first) == {429, 404}
