"""`make test`, cut off: nothing that it has started goes on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.aws import ROOT
from local.waiting import until
from tests.processes import is_alive

HANGS = """
import os, pathlib, subprocess, time
from local.aws import ROOT
from local.processes import ProcessGroup

def test_hangs() -> None:
    with ProcessGroup() as group:
        guarded = group.start(["sleep", "600"], env={}, cwd=ROOT)
        alone = subprocess.Popen(["sleep", "600"], process_group=0)
        ids = pathlib.Path(__file__).with_name("ids")
        ids.with_suffix(".new").write_text(f"{os.getpid()} {guarded.pid} {alone.pid}")
        ids.with_suffix(".new").rename(ids)
        time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_no_process_is_left_after_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    """Also if the run is a shell's background job, which begins with SIGINT ignored."""
    (tmp_path / "test_hangs.py").write_text(HANGS)
    options = ["-n", "1", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    with subprocess.Popen(
        [sys.executable, "-m", "tests", *options, str(tmp_path)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:
        signal.signal(signal.SIGINT, before)
        until((tmp_path / "ids").exists, "the test hangs")
        processes = [int(process) for process in (tmp_path / "ids").read_text().split()]
        assert all(map(is_alive, processes))
        run.send_signal(number)
        try:
            assert run.wait(120) == 128 + number  # SECONDS_TO_END, on a machine that is very slow
        finally:
            run.kill()
    until(lambda: not any(map(is_alive, processes)), "all processes have ended", 10)
