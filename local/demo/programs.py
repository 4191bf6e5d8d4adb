"""The programs of others that the demo runs: a producer's, and the operators' command."""

import subprocess
import sys
import tempfile

from local.aws import ROOT
from local.demo.printing import DemoError, print_line
from local.outcomes import OutcomeQueue
from local.system import LocalCourier


def hear_outcomes(heard: OutcomeQueue) -> None:
    """Print the outcomes as a producer's own program hears of them.

    Raises:
        DemoError: It failed, or heard nothing.
    """
    print_line("\n5. What their producer hears of it, from the event bus (examples/hear_outcomes.py)")
    command = [sys.executable, str(ROOT / "examples" / "hear_outcomes.py")]
    environment = {**heard.aws.program_environment, "OUTCOME_QUEUE_URL": heard.url}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    lines = run.stdout.splitlines()
    if run.returncode or not lines:
        raise DemoError(f"examples/hear_outcomes.py ended with status {run.returncode}: {run.stderr}")
    for line in [*lines[:2], "…", *lines[-2:]]:
        print_line(f"   | {line.rstrip()}")
    print_line(f"   {len(lines)} outcomes in all, the replayed reply's two among them")


def run_courier(courier: LocalCourier, *arguments: str) -> None:
    """Run the operators' command.

    Raises:
        DemoError: It failed.
    """
    print_line(f"   $ courier {' '.join(arguments)}")
    command = [sys.executable, "-m", "courier", *arguments]
    with tempfile.TemporaryDirectory(prefix="reply-courier-") as journal:  # and not the one of whoever runs this
        own = {"COLUMNS": "100", "COURIER_JOURNAL": f"{journal}/journal.jsonl", "PYTHONUNBUFFERED": "1"}
        environment = {**courier.aws.program_environment, **own}
        run = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # in the order in which a person sees them
            text=True,
            check=False,
        )
    for line in run.stdout.splitlines():
        print_line(f"   | {line}")
    if run.returncode:
        raise DemoError(f"courier {arguments[0]} ended with status {run.returncode}")
