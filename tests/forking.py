"""Runs programs of this project many times and their imports once: each run is a fork of a process that has done them.

At each start, moto's imports would take 2 to 4 s of processor time, those of `courier` one. Each run is a process of
its own all the same: with its arguments, its environment, its files, its process group or terminal, and its exit code.
"""

import fcntl
import gc
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn

from local.aws import ROOT

SOCKETS = "TESTS_FORKING"
"""The environment variable with the folder that has a socket for each program."""
NUMBER = struct.Struct("!i")
"""How a process id is answered, and later an exit code."""
KILLED = -signal.SIGKILL


def start_programs() -> subprocess.Popen[bytes]:
    """Start the processes that forks are made of. Each imports its program when a fork of it is first asked for.

    They end when this process does, or closes the pipe that it gets back.
    """
    folder = Path(tempfile.mkdtemp(prefix="forking-"))
    listeners = [socket.socket(socket.AF_UNIX) for _ in PROGRAMS]
    for listener, program in zip(listeners, PROGRAMS, strict=True):
        listener.bind(str(folder / program))
        listener.listen(100)
    os.environ[SOCKETS] = str(folder)
    descriptors = [listener.fileno() for listener in listeners]
    command = [sys.executable, "-m", __name__, *map(str, descriptors)]
    started = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, pass_fds=descriptors)
    for listener in listeners:
        listener.close()
    return started


def popen(command: Sequence[str | Path], **options: Any) -> subprocess.Popen[bytes]:
    """Start a command as subprocess.Popen does; fork ``python -m PROGRAM``."""
    match command:
        case [sys.executable, "-m", str(program), *arguments] if program in PROGRAMS:
            return Fork(program, list(map(str, arguments)), **options)
    return subprocess.Popen(command, **options)


def run(arguments: list[str], environment: dict[str, str], stdin: bytes) -> subprocess.CompletedProcess[str]:
    """Run `courier` to its end."""
    with tempfile.TemporaryFile() as written, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        written.write(stdin)
        written.seek(0)
        command = [sys.executable, "-m", "courier", *arguments]
        exit_code = popen(command, env=environment, cwd=ROOT, stdin=written, stdout=out, stderr=err).wait()
        for stream in (out, err):
            stream.seek(0)
        return subprocess.CompletedProcess(arguments, exit_code, out.read().decode(), err.read().decode())


class Fork(subprocess.Popen[bytes]):
    """A forked program, for whoever has started it as any other process."""

    def __init__(
        self,
        program: str,
        arguments: list[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        stdin: int | IO[bytes],
        stdout: int | IO[bytes],
        stderr: int | IO[bytes],
        process_group: int | None = None,
        start_new_session: bool = False,
    ) -> None:
        """Take what subprocess.Popen takes, but pipes for standard output only."""
        self.args = [program, *arguments]
        self.returncode: int | None = None
        self.stdin = self.stdout = self.stderr = None
        opened: list[int] = []

        def descriptor(stream: int | IO[bytes]) -> int:
            if stream == subprocess.PIPE:
                reading, writing = os.pipe()
                self.stdout = os.fdopen(reading, "rb")
            elif stream == subprocess.DEVNULL:
                writing = os.open(os.devnull, os.O_RDWR)
            else:
                return stream if isinstance(stream, int) else stream.fileno()
            opened.append(writing)
            return writing

        streams = [descriptor(stdin), descriptor(stdout)]
        streams.append(streams[1] if stderr == subprocess.STDOUT else descriptor(stderr))
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(str(Path(os.environ[SOCKETS], program)))
        socket.send_fds(self._connection, [b" "], streams)
        request = [arguments, dict(env), str(cwd), process_group, start_new_session]
        self._connection.sendall(json.dumps(request).encode() + b"\n")
        for each in opened:
            os.close(each)
        if (pid := self._number()) is None:
            self._connection.close()
            raise RuntimeError(f"{program} could not be imported; it says why on standard error")
        self.pid = pid

    def poll(self) -> int | None:
        """Return the exit code, if it has ended."""
        if self.returncode is None and select.select([self._connection], [], [], 0)[0]:
            return self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended."""
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            exit_code = self._number()
            self.returncode = KILLED if exit_code is None else exit_code
            self._connection.close()
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def _number(self) -> int | None:
        """What is answered; None if the process that answers has ended."""
        try:
            received = self._connection.recv(NUMBER.size, socket.MSG_WAITALL)
        except ConnectionResetError:
            return None
        return int(NUMBER.unpack(received)[0]) if received else None


def _import_courier() -> Callable[[], object]:
    if "MUTANT" in os.environ:
        from tests.explore import mutants  # noqa: PLC0415 - only a run of the mutants needs it

        mutants.apply_from_environment()
    import boto3  # noqa: PLC0415 - each of these processes imports what it needs, when it needs it
    import botocore.session  # noqa: PLC0415
    from typer.testing import CliRunner  # noqa: PLC0415

    from courier.cli import app  # noqa: PLC0415

    botocore.session.create_loader = cache(botocore.session.create_loader)  # one for all sessions: it keeps the models
    for service in (
        "cloudformation",
        "cloudwatch",
        "connect",
        "lambda",
        "logs",
        "s3",
        "service-quotas",
        "sns",
        "sqs",
        "sts",
    ):
        boto3.client(service, region_name="eu-central-1")  # reads its model and imports more, as does the next line
    CliRunner().invoke(app.app, ["status", "--help"])

    def main() -> None:
        if os.isatty(1):  # courier's consoles look at the terminal when it's imported
            for name in [name for name in sys.modules if name.partition(".")[0] == "courier"]:
                del sys.modules[name]
        import_module("courier.cli.app").main()

    return main


def _import_moto() -> Callable[[], object]:
    import_module("moto.cloudformation.models")  # imports all that it makes resources of
    from moto.moto_api import recorder  # noqa: PLC0415
    from moto.moto_api._internal import mock_random  # noqa: PLC0415

    from local.moto import server  # noqa: PLC0415

    def main() -> None:
        mock_random.seed()
        recorder._location = os.environ["MOTO_RECORDER_FILEPATH"]  # noqa: SLF001 - moto reads it when it's imported
        server.main()

    return main


def _import_connect() -> Callable[[], object]:
    from local.connect.__main__ import main  # noqa: PLC0415

    return main


PROGRAMS = {"courier": _import_courier, "local.moto.server": _import_moto, "local.connect": _import_connect}
"""What is forked, by the name that `python -m` takes: each imports it, and returns its main function."""


def main() -> None:
    """Have a process for each program; its socket is an argument of this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for pytest, which then closes the pipe
    listeners = [socket.socket(fileno=int(descriptor)) for descriptor in sys.argv[1:]]
    for listener, (program, imported) in zip(listeners, PROGRAMS.items(), strict=True):
        if not os.fork():
            serve(program, imported, listener)
    os.read(0, 1)
    shutil.rmtree(os.environ[SOCKETS])


def serve(program: str, import_program: Callable[[], Callable[[], object]], listener: socket.socket) -> NoReturn:
    """Fork for each connection, until the pipe is closed."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait for a fork
    program_main = None
    descriptors: list[Any] = [listener, 0]
    while 0 not in select.select(descriptors, [], [])[0]:
        connection, _ = listener.accept()
        if program_main is None:
            program_main = import_program()
            gc.freeze()  # so that no collection in a child copies what it shares with this process
        if not os.fork():
            listener.close()
            fork(program, program_main, connection)
        connection.close()
    os._exit(0)


def fork(program: str, program_main: Callable[[], object], connection: socket.socket) -> NoReturn:
    """Run the program as it is asked for in a child, answer with its id, wait for its end and answer how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("rb") as sent:
        arguments, environment, folder, group, new_session = json.loads(sent.readline())
    child = os.fork()
    if not child:
        connection.close()
        become(streams, environment, Path(folder), new_session=new_session)
        sys.argv = [program, *arguments]
        end_with(program_main)
    if group is not None:
        os.setpgid(child, group)
    for descriptor in streams:
        os.close(descriptor)
    with suppress(BrokenPipeError):  # nobody waits for it any more
        connection.sendall(NUMBER.pack(child))
        _, status = os.waitpid(child, 0)
        connection.sendall(NUMBER.pack(os.waitstatus_to_exitcode(status)))
    os._exit(0)


def become(streams: Sequence[int], environment: Mapping[str, str], folder: Path, *, new_session: bool) -> None:
    """Make this process what a new one would be."""
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - they are open for as long as the process lives
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if new_session:
        os.setsid()
        if os.isatty(0):
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)


def end_with(program_main: Callable[[], object]) -> NoReturn:
    """Run a program, and end this process with its exit code, without taking Python apart: that takes longest."""
    exit_code = 1
    try:
        program_main()
        exit_code = 0
    except SystemExit as ended:
        exit_code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - as Python does at the end of a process
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # a terminal or a pipe that nobody reads any more
            stream.flush()
    os._exit(exit_code)


if __name__ == "__main__":
    main()
