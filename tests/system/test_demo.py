"""`make demo` as a person runs it: slow, since it deploys for real and in its own process."""

import subprocess
import sys

from local.aws import ROOT
from tests.documents import shown


def test_the_demo_deploys_for_real_and_accounts_for_every_reply() -> None:
    demo = subprocess.run(
        [sys.executable, "-m", "local", "demo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    print(demo.stdout, demo.stderr)  # for the check of tests/conftest.py, and for whoever reads a failed test
    assert demo.returncode == 0
    assert [line for line in demo.stdout.splitlines() if "$ cdk" in line] == [
        "   $ cdk bootstrap …",
        "   $ cdk synth …",
        "   $ cdk deploy …",
    ]
    assert "   28 outcomes in all" in demo.stdout
    assert "The function made 19 drafts just before they were sent: 18 were sent, 1 stopped." in demo.stdout
    assert shown("README.md")[0].missing(demo.stdout) == []
    assert "\ndemo: sent=20 dead_lettered=7 replayed=1 duplicates=0 lost=0\n" in demo.stdout
