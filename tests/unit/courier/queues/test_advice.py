"""Every reason has an advice, and the runbook says more about it."""

import re

import pytest
from typer.testing import CliRunner

from contract.dead_letter import Reason
from courier.cli import app
from courier.queues.advice import ADVICE, advice
from courier.queues.letter import MOVED_BY_SQS
from local.aws import ROOT

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
