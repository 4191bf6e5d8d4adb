"""Letters by what went wrong."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from contract.dead_letter import Reason
from contract.reply import SCHEMA
from courier.cli.app import app
from courier.dead_letters import MOVED_BY_SQS
from courier.groups import ADVICE, Cause, advice, cause_of, group_letters
from local.aws import ROOT
from tests.letters import NOW, letter


def test_letters_are_one_group_whatever_connect_says_of_them() -> None:
    letters = [
        replace(
            letter(Reason="NotFound", Detail=f"ResourceNotFoundException (404): Ada {n}", sent_at=NOW + n), id=f"id-{n}"
        )
        for n in (3, 1, 2)
    ]
    (group,) = group_letters(letters)
    assert (group.cause, group.count) == (Cause("NotFound", "ResourceNotFoundException (404)"), 3)
    assert (group.oldest_at, group.newest_at, group.letter_id) == (NOW + 1, NOW + 3, "id-3")
    assert group.to_json()["oldest_at"] == "2027-01-15T08:00:01.000+00:00"
    assert "Ada" not in str(group.to_json())


def test_groups_are_by_reason_error_code_and_path_the_largest_first() -> None:
    detail = "reply.EmailMessage.RawMessage.Subject is empty; reply.ContactId is missing"
    found = group_letters(
        [
            letter(Reason="Refused", Detail="OddException (418): x"),
            letter(Reason="InvalidReply", Detail=detail),
            letter(Reason="InvalidReply", Detail="reply.ContactId is too long"),
            letter(Reason="InvalidReply", Detail=detail),
        ]
    )
    assert [(group.cause.reason, group.cause.details, group.count) for group in found] == [
        ("InvalidReply", "reply.EmailMessage.RawMessage.Subject", 2),
        ("InvalidReply", "reply.ContactId", 1),
        ("Refused", "OddException (418)", 1),
    ]


@pytest.mark.parametrize(
    ("detail", "error_code", "path"),
    [
        ("InvalidRequestException (400): You, Ada", "InvalidRequestException (400)", None),
        ("Last: ThrottlingException (429): Rate exceeded", "ThrottlingException (429)", None),
        ("Last: ReadTimeoutError: Read timeout", "ReadTimeoutError", None),
        (
            "InvalidRequestException (400): Value at 'emailMessage.rawMessage.subject' failed to satisfy constraint: x",
            "InvalidRequestException (400)",
            "reply.EmailMessage.RawMessage.Subject",
        ),
        ("reply.AdditionalRecipients.CcEmailAddresses[12].EmailAddress is not of the right form", None,
         "reply.AdditionalRecipients.CcEmailAddresses[12].EmailAddress"),
        ("reply: is not JSON", None, "reply"),
        ("reply.15551234567 is not a member", None, "reply"),
        ("Value at 'emailMessage.15551234567' failed to satisfy constraint: x", None, "reply.EmailMessage"),
        ("reply.Ada.Lovelace is not a member", None, "reply"),
        ("reply.EmailMessage.AdaLovelace is not a member", None, "reply.EmailMessage"),
        ("Value at 'ada.lovelace' failed to satisfy constraint", None, "reply"),
        ("Dear Ada Lovelace (100): hello", None, None),
        ("Ada: hello", None, None),
        ("", None, None),
    ],
)  # fmt: skip
def test_a_cause_has_only_error_codes_and_members_of_the_contract(
    detail: str, error_code: str | None, path: str | None
) -> None:
    assert cause_of(letter(Reason="InvalidRequest", Detail=detail)) == Cause("InvalidRequest", error_code, path)


def test_the_detail_of_a_letter_that_sqs_moved_is_its_producers() -> None:
    moved = replace(letter(Reason="NotFound", Detail="OddException (404): x"), was_moved=True)
    assert cause_of(moved) == Cause("MovedBySqs")


@given(st.text())
def test_no_word_of_a_detail_gets_into_a_cause(text: str) -> None:
    path = cause_of(letter(Reason="InvalidReply", Detail=f"reply.{text} is not a member")).path
    assert path is not None
    assert set(re.findall(r"[A-Za-z]+", path)) <= {"reply", *re.findall(r"[A-Za-z]+", json.dumps(SCHEMA))}


def test_a_reason_that_could_be_anything_is_not_printed() -> None:
    (group,) = group_letters([letter(Reason="Dear Ada")])
    assert group.cause.reason is None
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
    assert (
        advice(None, "id-1")
        == advice("Odd", "id-1")
        == "This reason is not one of reply-courier's: courier dlq show id-1"
    )
