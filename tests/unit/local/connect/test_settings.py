"""Settings, set by control calls and read from a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from local.connect.checked_input import ControlCallError
from local.connect.service import EmulatedConnect
from local.connect.settings import RefusalCase, Settings, checked_settings, settings_from_answers
from tests.unit.local.connect.lab import Lab, outcome

if TYPE_CHECKING:
    from pathlib import Path


UNKNOWN_SENDER = {"FromEmailAddress": {"EmailAddress": "nobody@elsewhere.example"}}


def test_an_address_that_the_instance_does_not_have_cannot_send(lab: Lab) -> None:
    assert outcome(lab.send("a", "t", **UNKNOWN_SENDER)) == (400, "InvalidRequestException")
    assert outcome(lab.send("a", "t", FromEmailAddress={"EmailAddress": "support@bicycles.example"})) == (200, None)
    lab.control("PUT", "settings", {"unknown_sender": "send"})
    assert outcome(lab.send("b", "u", **UNKNOWN_SENDER)) == (200, None)


def test_with_refusals_remember_the_token_of_a_refused_request_gets_a_409(lab: Lab) -> None:
    lab.control("PUT", "settings", {"refusals": "remember"})
    lab.send("a", "t", **UNKNOWN_SENDER)
    assert outcome(lab.send("a", "t")) == (409, "IdempotencyException")
    assert outcome(lab.send("a", "u")) == (200, None)
    lab.control("PUT", "settings", {"refusals": "forget"})
    assert outcome(lab.send("b", "t")) == (200, None)


def test_the_token_of_a_402_is_never_remembered(lab: Lab) -> None:
    lab.control("PUT", "settings", {"refusals": "remember", "capacity": 0})
    assert outcome(lab.send("a", "t")) == (402, "ServiceQuotaExceededException")
    lab.control("PUT", "settings", {"capacity": 1})
    assert outcome(lab.send("a", "t")) == (200, None)


@pytest.mark.parametrize("case", RefusalCase)
def test_every_refusal_can_have_another_answer(lab: Lab, case: RefusalCase) -> None:
    words = {"status": 418, "error": "OddException", "message": "odd words"}
    lab.control("PUT", "settings", {"answers": {case: words}, "repeat": "conflict", "refusals": "remember"})
    match case:
        case RefusalCase.UNKNOWN_SENDER:
            answer = lab.send("a", "t", **UNKNOWN_SENDER)
        case RefusalCase.REMEMBERED_REFUSAL:
            lab.send("a", "t", **UNKNOWN_SENDER)
            answer = lab.send("a", "t")
        case RefusalCase.REPEAT:
            lab.send("a", "t")
            answer = lab.send("a", "t")
        case RefusalCase.SPENT_CONTACT:
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
def test_invalid_answers_are_refused(answers: Any) -> None:
    with pytest.raises(ControlCallError, match="answers cannot be"):
        checked_settings({"answers": answers})


def test_every_refusal_has_a_default_answer() -> None:
    for case in RefusalCase:
        assert 400 <= (Settings().refusal(case).answer.status or 0) < 500


def answer(status: int | None, error: str | None = None, message: str = "") -> dict[str, Any]:
    return {"status": status, "error": error, "message": message, "same_contact": status == 200}


OK = answer(200)
REFUSED = answer(400, "OddException", "N validation errors detected")
WORDS = {"status": 400, "error": "OddException", "message": "1 validation errors detected"}


def settings(file: Path, **answers: Any) -> dict[str, Any]:
    file.write_text(json.dumps({"answers": answers}))
    read = settings_from_answers(file)
    EmulatedConnect(lambda: 0, str, read)  # refuses settings that it does not have
    return read


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "answers.json"


@pytest.mark.parametrize(
    ("name", "setting", "accepted", "refused", "case"),
    [
        ("bad_body", "unknown_sender", "send", "refuse", "unknown_sender"),
        ("repeat", "repeat", "same_contact", "conflict", "repeat"),
        ("spent_contact", "used_draft", "send", "refuse", "spent_contact"),
    ],
)
def test_an_answer_in_the_file_sets_a_setting_and_its_refusal(
    file: Path, name: str, setting: str, accepted: str, refused: str, case: str
) -> None:
    assert settings(file, **{name: OK}) == {setting: accepted, "answers": {}}
    assert settings(file, **{name: REFUSED}) == {setting: refused, "answers": {case: WORDS}}


def test_refusals_are_remembered_only_if_a_new_token_was_accepted(file: Path) -> None:
    assert settings(file, mended_body=OK) == {"refusals": "forget", "answers": {}}
    assert settings(file, mended_body=REFUSED, mended_body_new_token=REFUSED) == {"answers": {}}
    assert settings(file, mended_body=REFUSED, mended_body_new_token=OK) == {
        "refusals": "remember",
        "answers": {"remembered_refusal": WORDS},
    }


def test_the_answer_to_a_wrong_contact_becomes_its_refusal(file: Path) -> None:
    assert settings(file, wrong_contact=REFUSED)["answers"] == {"wrong_contact": WORDS}


@pytest.mark.parametrize("passing", [answer(None, "ReadTimeoutError"), answer(429, "T"), answer(500, "I")])
def test_a_temporary_answer_changes_no_setting(file: Path, passing: dict[str, Any]) -> None:
    assert settings(file, bad_body=passing, repeat=passing, wrong_contact=passing) == {"answers": {}}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"answers": []}', '{"answers": {"repeat": {}}}', '{"answers": 1}'])
def test_another_file_is_refused(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ValueError, match="is not a file that courier doctor --send-test has written"):
        settings_from_answers(file)
