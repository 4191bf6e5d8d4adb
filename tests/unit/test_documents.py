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


def numbers(text: str) -> list[str]:
    """Return the numbers in a text, without their thousands separators."""
    return re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w])", re.sub(r"(?<=\d),(?=\d{3})", "", text))


def rounded(number: str, like: str) -> str:
    """Round a number to as many digits as another one has."""
    return f"{float(number):.{len(like.partition('.')[2])}f}"


@written_by_name
def test_figures_beside_a_link_to_a_result_are_those_of_the_result(document: Path) -> None:
    """A sentence with a link to a table in bench/results/ has no number that isn't in the table (or is rounded)."""
    paragraphs = [part for part in prose(document).split("\n\n") if not part.startswith("|")]
    for sentence in re.split(r"(?<=[.:])\*{0,2}\s+(?=[A-Z*`-])", "\n\n".join(paragraphs)):
        results = re.findall(r"\]\(\S*?bench/results/(\w+\.md)\)", sentence)
        measured = [n for name in results for n in numbers((ROOT / "bench" / "results" / name).read_text())]
        wrong = [n for n in numbers(sentence) if n not in {rounded(each, like=n) for each in measured}]
        assert not results or not wrong, (sentence, wrong)


def table(document: Path, first_cell: str) -> list[list[str]]:
    """Return the cells of the document's table with this first cell, header included."""
    text = document.read_text()
    lines = text[text.index(f"| {first_cell} |") :].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("|---")]


def test_the_ranges_in_design_md_are_those_of_the_surges() -> None:
    """A cell holds the lowest and the highest figure in surge.md for reply-courier, and the same for the peer."""
    (_, *columns), _, *surges = table(ROOT / "bench" / "results" / "surge.md", "")
    (_, *kinds), *ranges = table(ROOT / "docs" / "design.md", "reply-courier / peer")
    for name, *cells in ranges:
        for kind, cell in zip(kinds, cells, strict=True):
            rows = [row for row in surges if kind in row[0] or (kind == "alone" and row[0].count(",") == 1)]
            measured = zip(*(row[1 + columns.index(name)].split(" / ") for row in rows), strict=True)
            for written, figures in zip(map(numbers, cell.split(" / ")), measured, strict=True):
                found = sorted(float(number) for figure in figures for number in numbers(figure))
                ends = [rounded(str(end), like=written[0]) for end in (found[0], found[-1])] if found else []
                assert written == list(dict.fromkeys(ends)), (name, kind)


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
