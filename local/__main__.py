"""``python -m local up`` keeps everything running until Ctrl-C; ``python -m local demo`` shows what it does."""

import argparse
import signal
import sys
from pathlib import Path
from typing import NoReturn

from local.demo import demo
from local.up import up


def interrupt(_signal: int, _frame: object) -> NoReturn:
    """End in the same way on both signals, so that everything is stopped in order."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("command", choices=["up", "demo"])
    parser.add_argument("--answers", type=Path, help="for up: Connect answers as in this file of doctor --send-test")
    for ending in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell starts background jobs with SIGINT ignored
        signal.signal(ending, interrupt)
    try:
        chosen = parser.parse_args()
        if chosen.command == "demo":
            sys.exit(demo())
        up(chosen.answers)
    except KeyboardInterrupt:
        print("Stopped.")
