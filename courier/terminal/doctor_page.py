"""What the doctor found, on the screen: a line for each check, and below it what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from courier.doctor.finding import Verdict
from courier.terminal.view import out, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from courier.doctor.finding import Finding

STYLES = {Verdict.GOOD: "green", Verdict.BAD: "bold red", Verdict.UNKNOWN: "yellow"}
MARK, CHECK = 8, 14
"""Columns: as wide as the longest verdict and the longest check, and a space."""


def show_findings(findings: Iterable[Finding]) -> None:
    """Show each finding as soon as it is there; off a terminal one line each, as wide as it is."""
    for finding in findings:
        if out.is_terminal:
            _show(finding)
        else:
            advice = f" | {finding.advice}" if finding.advice else ""
            out.print(
                f"{finding.verdict:{MARK}}{finding.check:{CHECK}}{printable(finding.seen + advice)}", soft_wrap=True
            )


def _show(finding: Finding) -> None:
    line = Table.grid()
    line.add_column(width=MARK)
    line.add_column(width=CHECK)
    line.add_column()
    line.add_row(Text(finding.verdict, style=STYLES[finding.verdict]), finding.check, printable(finding.seen))
    out.print(line)
    if finding.advice:
        out.print(Padding(Text(f"→ {printable(finding.advice)}", style="dim"), (0, 0, 0, MARK + CHECK)))
