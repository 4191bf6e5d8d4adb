"""Runs `courier` many times and its imports once: each command is a fork of a process that has done them.

A process of its own it is all the same: with its arguments, its environment, its files and its exit code.
"""

import atexit
import gc
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NoReturn

import boto3
import botocore.session
from typer.testing import CliRunner

from local.aws import ROOT


def run(arguments: list[str], environment: dict[str, str], stdin: bytes) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "stdin").write_bytes(stdin)
        parent = _parent()
        assert parent.stdin
        assert parent.stdout
        print(json.dumps([arguments, environment, name]), file=parent.stdin, flush=True)
        exit_code = int(parent.stdout.readline())
        return subprocess.CompletedProcess(
            arguments, exit_code, *(Path(folder, stream).read_bytes().decode() for stream in ("stdout", "stderr"))
        )


@cache
def _parent() -> subprocess.Popen[str]:
    parent = subprocess.Popen(
        [sys.executable, "-m", __name__], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(parent.communicate)
    return parent


def main() -> None:
    """Fork for each line of standard input: arguments, environment, and the folder of the three streams."""
    if "MUTANT" in os.environ:
        from tests.explore import mutants  # noqa: PLC0415 - only a run of the mutants needs it

        mutants.apply_from_environment()
    from courier.cli import app  # noqa: PLC0415 - whoever imports `run` has no need of it

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
    gc.freeze()  # so that no collection in a child copies what it shares with this process
    for line in sys.stdin:
        arguments, environment, folder = json.loads(line)
        child = os.fork()
        if not child:
            for descriptor, (stream, flags) in enumerate(
                [("stdin", os.O_RDONLY), ("stdout", os.O_WRONLY | os.O_CREAT), ("stderr", os.O_WRONLY | os.O_CREAT)]
            ):
                os.dup2(os.open(Path(folder, stream), flags), descriptor)
            sys.stdin = open(0)  # noqa: SIM115 - the one before has read of the parent's
            os.environ.clear()
            os.environ.update(environment)
            sys.argv = ["courier", *arguments]
            _end(app.main)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _end(program: Callable[[], object]) -> NoReturn:
    """Run a program, and end this process with its exit code, without taking Python apart: that takes longest."""
    exit_code = 1
    try:
        program()
    except SystemExit as ended:
        exit_code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - as Python does at the end of a process
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(exit_code)


if __name__ == "__main__":
    main()
