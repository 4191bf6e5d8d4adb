"""Processes that tests start and end."""

import os
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether a process runs, and is no zombie: in a container, nobody may wait for the children of a killed parent."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
