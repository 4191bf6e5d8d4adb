"""The documents' form: links lead somewhere, text is wrapped at one width, and commands exist with their options."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from courier.cli import app
from local.aws import ROOT

if TYPE_CHECKING:
    from pathlib import Path

WIDTH = 100
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "bench" / "results").glob("*.md")])
WRITTEN = [path for path in DOCUMENTS if "results" not in path.parts]
"""By people; the others are a program's."""
by_name = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
written_by_name = pytest.mark.parametrize("document", WRITTEN, ids=lambda path: path.name)


def prose(document: Path) -> str:
    """A document without its code blocks."""
    return re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(document: Path) -> set[str]:
    """The anchors of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@by_name
def test_links_lead_to_files_and_headings_that_are_there(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


@written_by_name
def test_text_is_wrapped_at_one_width(document: Path) -> None:
    lines = prose(document).splitlines()
    too_long = [line for line in lines if len(line) > WIDTH and not line.startswith(("|", "#", "![")) and " " in line]
    assert too_long == []


def commands(document: Path) -> list[str]:
    """Each command of `courier` in code, and in sentences."""
    text = document.read_text()
    inline = [" ".join(code.split()) for code in re.findall(r"`(courier [a-z][^`…]*)`", prose(document))]
    return [*inline, *re.findall(r"^\$ (courier .*)$", text, re.MULTILINE)]


@written_by_name
def test_commands_exist_with_their_options(document: Path) -> None:
    for command in commands(document):
        _, *words = shlex.split(command)
        found: Any = typer.main.get_command(app)
        while words:
            options = {name for parameter in found.params for name in parameter.opts}
            word = words.pop(0)
            if word.startswith("-"):
                assert word in options | {"--help", "--json", "--install-completion", "-"}, command
            elif hasattr(found, "commands"):
                assert word in found.commands or words, command
                found = found.commands.get(word, found)
