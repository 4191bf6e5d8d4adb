"""`make bench`, with few replies."""

import subprocess
import sys
from pathlib import Path

from bench.__main__ import ALL, parser, tables
from local.aws import ROOT


def measure(*arguments: str) -> dict[str, list[str]]:
    """Run a benchmark; return the rows of its tables, by the first cell."""
    command = [sys.executable, "-m", "bench", *arguments]
    bench = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert bench.returncode == 0, bench.stderr
    rows = [row.strip("|").split("|") for row in bench.stdout.splitlines() if row.startswith("|")]
    assert f"`python -m bench {' '.join(arguments)}`" in bench.stdout
    return {name.strip(): [cell.strip() for cell in cells] for name, *cells in rows}


def test_the_table_of_faults_is_measured_for_this_project_and_the_peer() -> None:
    measured = measure("faults", "--seeds", "1", "--replies", "5")
    assert measured["replies"] == ["5", "5"]
    assert measured["sent"][1] != "0"
    assert [measured[name][0] for name in ("lost", "sent twice", "dead-lettered without reason")] == ["0", "0", "0"]


def test_the_table_of_surges_is_measured_for_this_project_and_the_peer(tmp_path: Path) -> None:
    plot = tmp_path / "surge.png"
    options = ["--rates", "2", "--latencies", "150", "--troubles", "outage", "--seconds", "6", "--plot", str(plot)]
    measured = measure("surge", *options)
    ours, peers = zip(*(cell.split(" / ") for cell in measured["2/s, 150 ms, an outage (6 s)"]), strict=True)
    share, calls, receives, billed, *throttled, dead, other = ours
    # How much of the quota was used, and how many calls were throttled, is a matter of the machine's speed.
    assert float(share) > 0
    assert min(float(calls), float(receives), *map(float, peers[1:3])) >= 1
    assert float(billed) > 0
    assert all(percent.endswith("%") for percent in throttled)
    assert (dead, other) == ("0", "-")
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_the_table_of_the_backlog_is_simulated() -> None:
    backlog = measure("backlog", "--replies", "200")
    assert backlog["emails"] == ["200"] * 4
    assert backlog["dead-lettered"] == ["0"] * 4


def test_the_table_of_simulated_surges_is_simulated() -> None:
    simulated = measure("simulated", "--largest", "0.5")
    assert simulated["0.5/s, 150 ms (600 s)"][6:] == ["0", "-"]


def test_the_table_of_starts_is_measured_for_this_project_the_peer_and_a_bare_function() -> None:
    measured = measure("start", "--runs", "1", "--large", "1")
    rows = ["start, ms", "first email, ms", "a warm email, ms of the processor", "peak memory, MiB"]
    for row in rows:
        assert [float(cell.split()[0]) > 0 for cell in measured[row]] == [True, True, True]
        assert measured[row][2].endswith("(1.00)")


def test_make_bench_measures_every_table() -> None:
    assert [arguments[0] for arguments in ALL] == [name for name in tables.choices if name != "storm"]
    for arguments in ALL:
        parser.parse_args(arguments)
