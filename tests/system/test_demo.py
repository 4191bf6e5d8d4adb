"""`make demo` as a person runs it: slow, since it deploys for real and in its own process."""

import re
import subprocess
import sys

from local.aws import ROOT


def test_the_demo_deploys_for_real_and_accounts_for_every_reply() -> None:
    demo = subprocess.run(
        [sys.executable, "-m", "local", "demo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    print(demo.stdout, demo.stderr)  # for the check of tests/conftest.py, and for whoever reads a failed test
    assert demo.returncode == 0
    assert "Environment aws://123456789012/eu-central-1 bootstrapped" in demo.stdout
    assert "reply-courier.QueueUrl = " in demo.stdout
    last = demo.stdout.strip().splitlines()[-1]
    assert re.fullmatch(r"demo: sent=20 dead_lettered=6 replayed=1 duplicates=0 lost=0", last)
