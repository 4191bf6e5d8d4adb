from typing import Any

import pytest

from local.connect.instance.checked_input import ControlCallError
from local.connect.instance.settings import Case, Settings, checked_settings
from tests.unit.local.connect.lab import Lab, outcome

UNKNOWN_SENDER = {"FromEmailAddress": {"EmailAddress": "nobody@elsewhere.example"}}


def test_an_address_that_the_instance_does_not_have_cannot_send(lab: Lab) -> None:
    assert outcome(lab.send("a", "t", **UNKNOWN_SENDER)) == (400, "InvalidRequestException")
    assert outcome(lab.send("a", "t", FromEmailAddress={"EmailAddress": "support@bicycles.example"})) == (200, None)
    lab.control("PUT", "settings", {"unknown_sender": "send"})
    assert outcome(lab.send("b", "u", **UNKNOWN_SENDER)) == (200, None)


def test_a_refusal_can_be_remembered_with_its_token(lab: Lab) -> None:
    lab.control("PUT", "settings", {"refusals": "remember"})
    lab.send("a", "t", **UNKNOWN_SENDER)
    assert outcome(lab.send("a", "t")) == (409, "IdempotencyException")
    assert outcome(lab.send("a", "u")) == (200, None)
    lab.control("PUT", "settings", {"refusals": "forget"})
    assert outcome(lab.send("b", "t")) == (200, None)


def test_a_throttled_call_is_never_remembered(lab: Lab) -> None:
    lab.control("PUT", "settings", {"refusals": "remember", "capacity": 0})
    assert outcome(lab.send("a", "t")) == (402, "ServiceQuotaExceededException")
    lab.control("PUT", "settings", {"capacity": 1})
    assert outcome(lab.send("a", "t")) == (200, None)


@pytest.mark.parametrize("case", Case)
def test_every_refusal_can_be_given_other_words(lab: Lab, case: Case) -> None:
    words = {"status": 418, "error": "OddException", "message": "odd words"}
    lab.control("PUT", "settings", {"answers": {case: words}, "repeat": "conflict", "refusals": "remember"})
    match case:
        case Case.UNKNOWN_SENDER:
            answer = lab.send("a", "t", **UNKNOWN_SENDER)
        case Case.REMEMBERED_REFUSAL:
            lab.send("a", "t", **UNKNOWN_SENDER)
            answer = lab.send("a", "t")
        case Case.REPEAT:
            lab.send("a", "t")
            answer = lab.send("a", "t")
        case Case.SPENT_CONTACT:
            lab.send("a", "t")
            answer = lab.send("a", "u")
        case _:
            answer = lab.send("nobody's", "t")
    assert (*outcome(answer), answer.body) == (418, "OddException", b'{"Message": "odd words"}')


@pytest.mark.parametrize(
    "answers",
    [
        [],
        {"no case": {"status": 400, "error": "E", "message": ""}},
        {"repeat": {"status": 200, "error": "E", "message": ""}},
        {"repeat": {"status": 400, "error": "", "message": ""}},
        {"repeat": {"status": 400, "error": "E"}},
        {"repeat": 1},
    ],
)
def test_words_that_are_no_refusal_are_refused(answers: Any) -> None:
    with pytest.raises(ControlCallError, match="answers cannot be"):
        checked_settings({"answers": answers})


def test_every_case_has_words_of_its_own_accord() -> None:
    for case in Case:
        assert 400 <= (Settings().refusal(case).answer.status or 0) < 500
