"""``python -m local up`` keeps reply-courier running until Ctrl-C. ``python -m local demo`` shows what it does."""

import argparse
import signal
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

from local.demo import demo
from local.up import up


def interrupt(_signal: int, _frame: object) -> NoReturn:
    """Raise the same exception for both signals, so that everything stops in order."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("command", choices=["up", "demo"])
    parser.add_argument("--answers", type=Path, help="for up: Connect answers as in this file of doctor --send-test")
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT too, because a shell ignores it for background jobs
        signal.signal(number, interrupt)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # a pipe gets each line at once
    try:
        arguments = parser.parse_args()
        if arguments.command == "demo":
            sys.exit(demo())
        up(arguments.answers)
    except KeyboardInterrupt:
        print("Stopped.")
