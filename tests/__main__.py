"""``python -m tests``: pytest in a session of its own. When it ends, nothing that it started is left.

pytest alone, when it gets SIGTERM, leaves its workers and their servers behind.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

SECONDS_TO_END = 5
"""How long pytest may take to end after an interruption."""
ROUNDS = 3
"""A process that is about to start another one may need a second look."""


class Interrupted(BaseException):
    """This process received a signal that ends it; its argument is the signal's number."""


def main() -> int:
    """Run pytest with this program's arguments; return its exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)  # for pytest too: a shell starts background jobs with SIGINT ignored
    pytest = subprocess.Popen([sys.executable, "-m", "pytest", *sys.argv[1:]], start_new_session=True)
    try:
        return pytest.wait()
    except Interrupted as interrupted:
        pytest.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            pytest.wait(SECONDS_TO_END)
        return int(interrupted.args[0]) + 128
    finally:
        kill_session(pytest.pid)


def interrupt(number: int, _frame: object) -> NoReturn:
    """Handle a signal."""
    raise Interrupted(number)


def kill_session(session: int) -> None:
    """Kill every process of a session."""
    for _ in range(ROUNDS):
        for process in processes():
            with suppress(ProcessLookupError, PermissionError):  # it has ended; it is somebody else's
                if os.getsid(process) == session:
                    os.kill(process, signal.SIGKILL)
        time.sleep(0.1)


def processes() -> Iterator[int]:
    """Yield the id of each process on this machine."""
    if Path("/proc").is_dir():
        return (int(path.name) for path in Path("/proc").glob("[0-9]*"))
    listed = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, check=True, text=True)
    return map(int, listed.stdout.split())


if __name__ == "__main__":
    sys.exit(main())
