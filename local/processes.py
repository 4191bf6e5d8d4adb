"""Child processes that never outlive this one."""

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, ClassVar, Self

READY = re.compile(r" on (http://\S+)")


class ProcessGroup:
    """Starts processes that are killed when the group is closed or this process ends, however it ends.

    A guard leads their process group and reads a pipe whose other end only this process holds. The pipe closes even
    when this process is killed with SIGKILL, and then the guard kills the whole group, itself included. (Linux's
    PR_SET_PDEATHSIG acts when the *thread* that started the child ends, and macOS lacks it.)
    """

    popen: ClassVar[Callable[..., subprocess.Popen[bytes]]] = subprocess.Popen
    """Starts a process. The tests have another one (tests/forking.py)."""

    def __enter__(self) -> Self:
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", "cat >/dev/null; kill -9 0"], stdin=subprocess.PIPE, process_group=0
        )
        self._started: list[subprocess.Popen[bytes]] = []
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._guard.communicate()
        for process in self._started:
            process.wait()

    def start(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path,
        stderr: int | IO[bytes] = subprocess.STDOUT,
    ) -> subprocess.Popen[bytes]:
        """Start a command. Its stdout is a pipe, and its stderr goes there too by default."""
        process = self.popen(
            command,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            process_group=self._guard.pid,
        )
        self._started.append(process)
        return process

    def start_server(self, module: str, *arguments: str, env: Mapping[str, str], cwd: Path, log: Path) -> str:
        """Start ``python -m module`` and wait for its line "… on http://host:port".

        Returns:
            That URL. What the server writes to stderr goes to ``log``.

        Raises:
            RuntimeError: it ended before it was ready.
        """
        with log.open("wb") as stderr:
            process = self.start([sys.executable, "-m", module, *arguments], env=env, cwd=cwd, stderr=stderr)
        output = lines(process)
        for line in output:
            if ready := READY.search(line):
                in_background(lambda: [None for _ in output], name=f"output of {module}")
                return ready[1]
        raise RuntimeError(f"{module} ended with status {process.wait()}: {log.read_text(errors='replace')}")


def lines(process: subprocess.Popen[bytes]) -> Iterator[str]:
    """Yield what a process writes, line by line and unchanged, until it closes its output.

    Only a line feed ends a line: awslambdaric puts carriage returns between the lines of one log record.
    """
    if process.stdout is None:
        raise ValueError("the process was started without a pipe for its output")
    with process.stdout as output:
        for line in output:
            yield line.removesuffix(b"\n").decode(errors="replace")


def free_port(wanted: int) -> int:
    """The port that is wanted, if nobody listens on it; else 0, which stands for any free one."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted


def in_background(work: Callable[[], object], *, name: str) -> threading.Thread:
    """Run ``work`` in a thread that does not keep this process alive."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
