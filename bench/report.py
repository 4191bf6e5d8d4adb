"""How results are written down: a Markdown table, and what it takes to get it again."""

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from math import isnan

PACKAGES = ("aws-lambda-powertools", "boto3", "aws-cdk-lib", "moto", "awslambdaric")


def report(command: str, content: str) -> str:
    """Put command, date and versions under the content of a result."""
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in PACKAGES)])
    return f"{content}\n`{command}`, {datetime.now(UTC):%Y-%m-%d}, on {os.cpu_count()} processors, with {versions}.\n"


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; the first column holds names, the others figures."""
    ruler = ["---", *["---:"] * (len(header) - 1)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [header, ruler, *rows])


def number(value: float) -> str:
    """Three digits, for people; a dash where there was nothing to measure."""
    return "-" if isnan(value) else f"{value:.3f}"
