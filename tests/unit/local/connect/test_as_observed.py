from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from local.connect.as_observed import settings_as_observed
from local.connect.service import EmulatedConnect

if TYPE_CHECKING:
    from pathlib import Path


def answer(status: int | None, error: str | None = None, message: str = "") -> dict[str, Any]:
    return {"status": status, "error": error, "message": message, "same_contact": status == 200}


OK = answer(200)
REFUSED = answer(400, "OddException", "N validation errors detected")
WORDS = {"status": 400, "error": "OddException", "message": "1 validation errors detected"}


def settings(file: Path, **answers: Any) -> dict[str, Any]:
    file.write_text(json.dumps({"answers": answers}))
    read = settings_as_observed(file)
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
def test_an_answer_becomes_a_setting_and_its_words(
    file: Path, name: str, setting: str, accepted: str, refused: str, case: str
) -> None:
    assert settings(file, **{name: OK}) == {setting: accepted, "answers": {}}
    assert settings(file, **{name: REFUSED}) == {setting: refused, "answers": {case: WORDS}}


def test_refusals_are_remembered_only_if_a_new_token_helped(file: Path) -> None:
    assert settings(file, mended_body=OK) == {"refusals": "forget", "answers": {}}
    assert settings(file, mended_body=REFUSED, mended_body_new_token=REFUSED) == {"answers": {}}
    assert settings(file, mended_body=REFUSED, mended_body_new_token=OK) == {
        "refusals": "remember",
        "answers": {"remembered_refusal": WORDS},
    }


def test_a_wrong_contact_has_its_words(file: Path) -> None:
    assert settings(file, wrong_contact=REFUSED)["answers"] == {"wrong_contact": WORDS}


@pytest.mark.parametrize("passing", [answer(None, "ReadTimeoutError"), answer(429, "T"), answer(500, "I")])
def test_what_was_not_settled_stays_as_it_is(file: Path, passing: dict[str, Any]) -> None:
    assert settings(file, bad_body=passing, repeat=passing, wrong_contact=passing) == {"answers": {}}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"answers": []}', '{"answers": {"repeat": {}}}', '{"answers": 1}'])
def test_another_file_is_refused(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ValueError, match="is not a file that courier doctor --send-test has written"):
        settings_as_observed(file)
