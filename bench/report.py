"""The form of a result: a Markdown table, and how to get it again."""

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version

PACKAGES = ("aws-lambda-powertools", "boto3", "aws-cdk-lib", "moto", "awslambdaric")


def report(command: str, content: str) -> str:
    """Add the command, the date and the versions to a result."""
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in PACKAGES)])
    return f"{content}\n`{command}`, {datetime.now(UTC):%Y-%m-%d}, on {os.cpu_count()} processors, with {versions}.\n"


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. The first column holds names, the others hold figures."""
    ruler = ["---", *["---:"] * (len(header) - 1)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [header, ruler, *rows])
