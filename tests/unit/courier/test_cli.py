"""Every `courier` command that a document shows has the commands and options that it uses."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from courier.cli.app import COMMANDS, EXAMPLES, app, dlq_app

ROOT = Path(__file__).parents[3]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHOWN = sorted(
    {line for path in DOCUMENTS for line in re.findall(r"^\$ courier (.*)$", path.read_text(), re.MULTILINE)}
)


@pytest.mark.parametrize("shown", SHOWN)
def test_a_command_that_is_shown_exists(shown: str) -> None:
    ran = CliRunner().invoke(app, [*shlex.split(shown), "--help"])
    assert ran.exit_code == 0, ran.output


NAMES = [*COMMANDS[app], *(f"dlq {name}" for name in COMMANDS[dlq_app])]


@pytest.mark.parametrize("name", NAMES)
def test_every_help_has_examples_that_are_right(name: str) -> None:
    told = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "80"}).output
    for example in EXAMPLES[name]:
        assert example.startswith(name)
        assert f"\n    courier {example}\n" in told
        assert CliRunner().invoke(app, [*shlex.split(example), "--help"]).exit_code == 0


@pytest.mark.parametrize("name", ["", "dlq", *NAMES])
def test_no_help_is_cut_off_or_wider_than_80_columns(name: str) -> None:
    told = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "80"}).output
    assert max(map(len, told.splitlines())) <= 80
    assert not re.search(r"\w\.\.\.$|…$", told, re.MULTILINE)


def test_the_version_is_told() -> None:
    ran = CliRunner().invoke(app, ["--version"])
    assert ran.exit_code == 0
    assert re.fullmatch(r"courier (\d+\.\d+\.\d+|of a checkout, not installed)\n", ran.output)


def test_a_shell_completes_commands_and_reasons() -> None:
    def completed(text: str) -> str:
        environment = {"_COURIER_COMPLETE": "complete_bash", "COMP_WORDS": text, "COMP_CWORD": str(text.count(" "))}
        return CliRunner().invoke(app, [], prog_name="courier", env=environment).output

    assert "replay" in completed("courier dlq re")
    assert completed("courier dlq list --reason Not").split() == ["NotFound"]


def test_every_command_is_in_the_reference() -> None:
    reference = (ROOT / "docs" / "courier.md").read_text()
    for name in COMMANDS[app]:
        assert f"$ courier {name}" in reference
    for name in COMMANDS[dlq_app]:
        assert f"$ courier dlq {name}" in reference


def test_every_exit_code_is_in_the_reference() -> None:
    reference = (ROOT / "docs" / "courier.md").read_text()
    assert re.findall(r"^\| (\d+) \|", reference, re.MULTILINE) == ["0", "1", "2", "130"]
