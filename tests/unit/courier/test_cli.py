"""Every `courier` command that a document shows has the commands and options that it uses."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from courier.cli import COMMANDS, app, dlq

ROOT = Path(__file__).parents[3]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHOWN = sorted(
    {line for path in DOCUMENTS for line in re.findall(r"^\$ courier (.*)$", path.read_text(), re.MULTILINE)}
)


@pytest.mark.parametrize("shown", SHOWN)
def test_a_command_that_is_shown_exists(shown: str) -> None:
    ran = CliRunner().invoke(app, [*shlex.split(shown), "--help"])
    assert ran.exit_code == 0, ran.output


def test_every_command_is_in_the_reference() -> None:
    reference = (ROOT / "docs" / "courier.md").read_text()
    for name in COMMANDS[app]:
        assert f"$ courier {name}" in reference
    for name in COMMANDS[dlq]:
        assert f"$ courier dlq {name}" in reference


def test_every_exit_code_is_in_the_reference() -> None:
    reference = (ROOT / "docs" / "courier.md").read_text()
    assert re.findall(r"^\| (\d+) \|", reference, re.MULTILINE) == ["0", "1", "2", "130"]
