"""`make bench`, with few replies."""

import subprocess
import sys

from local.aws import ROOT


def test_the_table_of_faults_is_measured_for_this_project_and_the_peer() -> None:
    command = [sys.executable, "-m", "bench", "faults", "--seeds", "1", "--replies", "20"]
    bench = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert bench.returncode == 0, bench.stderr
    cells = [
        [cell.strip() for cell in row.strip("|").split("|")] for row in bench.stdout.splitlines() if row.startswith("|")
    ]
    measured = {cell[0]: cell[1:] for cell in cells}
    assert measured["replies"] == ["20", "20"]
    assert [measured[name][0] for name in ("lost", "sent twice", "dead-lettered without reason")] == ["0", "0", "0"]
