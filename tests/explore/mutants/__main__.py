"""``python -m tests.explore.mutants``: break the promise in one place at a time, and report which test notices.

For each mutant, the search runs within its small bounds, then the unit tests, then the tests with moto. The first test
that fails has noticed the mutant. The table goes to bench/results/mutants.md.

``python -m tests.explore.mutants NAME ...`` runs only these mutants, and writes no table.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Sequence
from pathlib import Path

from bench.report import markdown, report
from local.aws import ROOT
from tests.explore.mutants import MUTANTS, Mutant, named

SUITES = {
    "the search": ("tests/explore",),
    "unit tests": ("tests/unit/handler", "tests/unit/contract", "tests/unit/courier"),
    "tests with moto": ("tests/aws",),
}
"""The tests of a mutant, in the order in which they run."""
AT_ONCE = 2
"""Mutants that run at the same time."""
HANGS = "a test that didn't end in time (faulthandler_timeout)"
RESULT = ROOT / "bench" / "results" / "mutants.md"


def main() -> int:
    """Run the mutants; return the exit status: 1 if one survives."""
    try:
        mutants = [named(name) for name in sys.argv[1:] or MUTANTS]
        for mutant in mutants:
            mutant.place()  # an unknown target is reported now, and not in the middle of the run
    except LookupError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        rows = asyncio.run(run_until_stopped(mutants))
    except asyncio.CancelledError:
        print(f"Interrupted: {RESULT.name} was not written.", file=sys.stderr)
        return 130
    survivors = sum(noticed == "nothing" for _, _, noticed in rows)
    summary = f"{len(rows)} changes that break the promise, and what noticed each; {survivors} survived."
    print(summary)
    if len(rows) == len(MUTANTS):
        table = markdown(["", "what is broken", "noticed by"], rows)
        RESULT.write_text(report("python -m tests.explore.mutants", f"# Mutants\n\n{summary}\n\n{table}"))
    return 1 if survivors else 0


async def run_until_stopped(mutants: Sequence[Mutant]) -> list[list[str]]:
    """Run the mutants. Ctrl-C, SIGTERM or a closed terminal cancels the run, which ends all that it has started."""
    this_run = asyncio.current_task()
    assert this_run
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a shell's background jobs ignore SIGINT otherwise
        asyncio.get_running_loop().add_signal_handler(number, this_run.cancel)
    return await run(mutants)


async def run(mutants: Sequence[Mutant]) -> list[list[str]]:
    """Run the tests for each mutant; return the rows of the table.

    Raises:
        RuntimeError: pytest couldn't run the tests, or a test that noticed a mutant fails without one, too.
    """
    turns = asyncio.Semaphore(AT_ONCE)
    tests = [path for paths in SUITES.values() for path in paths]

    async def in_turn(mutant: Mutant) -> str | None:
        async with turns:
            failed = await first_failure(tests, mutant.change.__name__)
        print(mutant.change.__name__, *row(mutant, failed), sep=" | ", flush=True)
        return failed

    async with asyncio.TaskGroup() as group:
        running = [group.create_task(in_turn(mutant)) for mutant in mutants]
    noticed = [each.result() for each in running]
    if proof := sorted({failed for failed in noticed if failed and failed != HANGS}):
        print(f"{len(proof)} tests noticed a mutant. Running them without one.", flush=True)
        if failed := await first_failure(proof):
            raise RuntimeError(f"{failed} fails without a mutant, too: fix that first, then run the mutants again.")
    return [row(mutant, failed) for mutant, failed in zip(mutants, noticed, strict=True)]


def row(mutant: Mutant, failed: str | None) -> list[str]:
    """Return a mutant's row of the table."""
    if failed is None:
        return [mutant.target, mutant.what, "nothing"]
    if failed == HANGS:
        return [mutant.target, mutant.what, HANGS]
    path, _, test = failed.partition("::")
    suite = next(suite for suite, paths in SUITES.items() if path.startswith(paths))
    return [mutant.target, mutant.what, f"{suite}: `{test or path}`"]


async def first_failure(tests: Sequence[str], mutant: str = "") -> str | None:
    """Run tests with a mutant, or with none, until one fails; return the id of that test, or None if all pass.

    Raises:
        RuntimeError: pytest couldn't run the tests.
    """
    with tempfile.TemporaryDirectory() as folder:
        pytest = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests", "-q", "-x", "-p", "tests.explore.mutants", "-o", f"cache_dir={folder}"),
            *("--ignore=tests/explore/test_mutants.py", *tests),
            cwd=ROOT,
            env={**os.environ, "MUTANT": mutant},
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            process_group=0,  # Ctrl-C reaches this program alone, which then stops pytest
        )
        try:
            output, _ = await pytest.communicate()
        finally:
            if pytest.returncode is None:
                pytest.terminate()  # tests/__main__.py then ends all that its tests have started
                await pytest.wait()
        return result(pytest.returncode, output.decode(errors="replace"), Path(folder))


def result(status: int | None, output: str, cache: Path) -> str | None:
    """Return the id of the test that failed, HANGS, or None; see first_failure."""
    if status == 0:
        return None
    if (record := cache / "v" / "cache" / "lastfailed").exists():  # pytest keeps it for its option --last-failed
        return str(next(iter(json.loads(record.read_text()))))
    if "Timeout (" in output:
        return HANGS
    raise RuntimeError(f"pytest couldn't run the tests. It ended with status {status}:\n{output[-2000:]}")


if __name__ == "__main__":
    sys.exit(main())
