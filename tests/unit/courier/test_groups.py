"""Letters by what went wrong."""

import re
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from contract.dead_letter import Reason
from courier.cli.app import app
from courier.dead_letters import MOVED_BY_SQS
from courier.groups import ADVICE, advice, groups
from local.aws import ROOT
from tests.letters import NOW, letter


def test_letters_are_one_group_whatever_their_ids_and_numbers() -> None:
    letters = [
        replace(letter(Reason="NotFound", Detail=f"Contact c-{n}7 not found ({n})", sent_at=NOW + n), id=f"id-{n}")
        for n in (3, 1, 2)
    ]
    (group,) = groups(letters)
    assert (group.reason, group.words, group.count) == ("NotFound", "Contact … not found (N)", 3)
    assert (group.oldest_at, group.newest_at, group.letter_id) == (NOW + 1, NOW + 3, "id-3")
    assert group.to_json()["oldest_at"] == "2027-01-15T08:00:01.000+00:00"


def test_groups_are_by_reason_and_words_the_largest_first() -> None:
    found = groups(
        [
            letter(Reason="NotFound", Detail="Contact not found"),
            letter(Reason="NotFound", Detail="Template not found"),
            letter(Reason="Refused", Detail="Template not found"),
            letter(Reason="NotFound", Detail="Template not found"),
        ]
    )
    assert [(group.reason, group.words, group.count) for group in found] == [
        ("NotFound", "Template not found", 2),
        ("NotFound", "Contact not found", 1),
        ("Refused", "Template not found", 1),
    ]


def test_the_words_of_a_letter_that_sqs_moved_are_its_producers() -> None:
    (group,) = groups([replace(letter(Reason="NotFound", Detail="Contact not found"), was_moved=True)])
    assert (group.reason, group.words) == ("MovedBySqs", "")


def test_a_reason_that_could_be_anything_is_not_printed() -> None:
    (group,) = groups([letter(Reason="Dear Ada")])
    assert group.reason is None
    assert "Ada" not in str(group.to_json())


RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()


def test_every_reason_has_an_advice_and_a_section_in_the_runbook() -> None:
    assert set(ADVICE) == {*Reason, MOVED_BY_SQS}
    letters = RUNBOOK.partition("\n## A dead letter\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^### (\w+)$", letters, re.MULTILINE)) == set(ADVICE)


@pytest.mark.parametrize("reason", ADVICE)
def test_an_advice_names_the_letter_and_commands_that_exist(reason: str) -> None:
    told = advice(reason, "id-1")
    assert " ID" not in told
    for command in re.findall(r"courier ((?:dlq )?[a-z]+(?: --?[\w-]+(?: [A-Z]\w+)?| [0-9]| id-1)*)", told):
        ran = CliRunner().invoke(app, [*command.split(), "--help"])
        assert ran.exit_code == 0, command


def test_a_reason_of_somebody_elses_has_one_too() -> None:
    assert advice(None, "id-1") == advice("Odd", "id-1") == "The reason is not one of ours: courier dlq show id-1"
