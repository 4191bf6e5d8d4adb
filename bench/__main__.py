"""``python -m bench`` measures every table and writes it to bench/results/.

``python -m bench faults --seeds 5 --replies 300`` measures one of them, and prints it only.
"""

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from bench import faults
from bench.report import report

RESULTS = Path(__file__).with_name("results")

parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
tables = parser.add_subparsers(dest="table", metavar="TABLE")
faults_parser = tables.add_parser("faults", help="what becomes of replies when everything fails that can")
faults_parser.add_argument("--seeds", type=int, default=2, help="how many runs, with seeds 1, 2, … (default 2)")
faults_parser.add_argument("--replies", type=int, default=300, help="replies in each run (default 300)")

TABLES: dict[str, Callable[[argparse.Namespace], str]] = {
    "faults": lambda options: faults.table(range(1, options.seeds + 1), options.replies),
}

if __name__ == "__main__":
    given = sys.argv[1:]
    for name in [parser.parse_args(given).table] if given else TABLES:
        arguments = given or [name]
        text = report(f"python -m bench {shlex.join(arguments)}", TABLES[name](parser.parse_args(arguments)))
        print(text)
        if not given:
            (RESULTS / f"{name}.md").write_text(text)
