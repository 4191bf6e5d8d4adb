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


def test_bench_measures_faults_for_both_peers() -> None:
    measured = measure("faults", "--seeds", "1", "--replies", "5")
    assert measured["replies"] == ["5", "5", "5"]
    assert "0" not in measured["sent"]
    assert [measured[name][0] for name in ("lost", "sent twice", "dead-lettered without reason")] == ["0", "0", "0"]


def test_bench_measures_surges_beside_the_peer(tmp_path: Path) -> None:
    plot = tmp_path / "surge.png"
    options = ["--rates", "2", "--latencies", "150", "--troubles", "outage", "--seconds", "6", "--plot", str(plot)]
    measured = measure("surge", *options)
    ours, peers = zip(*(cell.split(" / ") for cell in measured["2/s, 150 ms, an outage (6 s)"]), strict=True)
    share, calls, receives, billed, *throttled, dead, other = ours
    # The machine's speed decides how much of the quota was used, and how many calls were throttled.
    assert float(share) > 0
    assert min(float(calls), float(receives), *map(float, peers[1:3])) >= 1
    assert float(billed) > 0
    assert all(percent.endswith("%") for percent in throttled)
    assert (dead, other) == ("0", "-")
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_bench_simulates_the_backlog() -> None:
    backlog = measure("backlog", "--replies", "200")
    assert backlog["emails"] == ["200"] * 5
    assert backlog["dead-lettered"] == ["0"] * 5


def test_bench_simulates_drafts() -> None:
    drafts = measure("drafts", "--share", "0.02")
    full = drafts["50 active emails allowed, 150 ms (60 replies)"]
    assert full[:3] == ["60", "0", "0"]
    assert full[-1].startswith("0 of ")


def test_bench_measures_starts_beside_the_peer_and_a_bare_function() -> None:
    measured = measure("start", "--runs", "1", "--large", "1")
    for row in ("start, ms", "first email, ms", "a warm email, ms of the processor", "peak memory, MiB"):
        assert all(float(cell.split()[0]) > 0 for cell in measured[row])
        assert measured[row][2].endswith("(1.00)")
    assert float(measured["plain ASCII"][0]) > 0


def test_make_bench_measures_every_table() -> None:
    assert [arguments[0] for arguments in ALL] == [name for name in tables.choices if name != "storm"]
    for arguments in ALL:
        parser.parse_args(arguments)
