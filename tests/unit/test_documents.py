"""The documents' form: links lead somewhere, text is wrapped at one width, and commands exist with their options."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from courier.cli.app import app
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


def test_the_figures_beside_a_plain_consumer_are_those_that_were_measured() -> None:
    """Lowest to highest of all rows of bench/results/surge.md, this project / the peer."""
    surge = (ROOT / "bench" / "results" / "surge.md").read_text()
    surge = surge.partition("\nSeconds from enqueueing")[0]
    kinds: dict[str, list[list[str]]] = {"alone": [], "another caller": [], "outage": []}
    for line in re.findall(r"^\| \d+/s, .*$", surge, re.MULTILINE):
        row = line.strip("| ").split(" | ")
        kinds[next((kind for kind in kinds if kind in row[0]), "alone")].append(row)

    def measured(column: int, *, digits: int, sign: str = "") -> str:
        cells = []
        for found in kinds.values():
            sides = zip(*(row[column].split(" / ") for row in found), strict=True)
            ends = [
                [f"{end(float(cell.rstrip('%')) for cell in side):.{digits}f}{sign}" for end in (min, max)]
                for side in sides
            ]
            cells.append(" / ".join(" to ".join(dict.fromkeys(each)) for each in ends))
        return f"| {' | '.join(cells)} |"

    design = (ROOT / "docs" / "design.md").read_text()
    for name, column in {
        "share of the quota": 1,
        "calls an email": 2,
        "receives an email": 3,
        "billed seconds": 4,
    }.items():
        line = re.findall(rf"^\| {name}.*$", design, re.MULTILINE)[0]
        assert line.endswith(measured(column, digits=2))
    (line,) = re.findall(r"^\| throttled calls while.*$", design, re.MULTILINE)
    assert line.endswith(measured(6, digits=1, sign=" %"))
    said = " ".join((ROOT / "README.md").read_text().split())
    assert "**1.00 calls for each email, and 0 % of them throttled**" in said
    assert measured(2, digits=2).startswith("| 1.00 / ")
    assert f"makes {measured(2, digits=1).split(' | ')[0].partition(' / ')[2]} calls" in said
    assert f"of which {measured(5, digits=0).split(' | ')[0].partition(' / ')[2]} % are throttled" in said


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
