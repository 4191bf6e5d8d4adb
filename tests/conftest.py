"""For every test of the suite: nothing that it makes the project print may hold personal data."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # it has no types

from local.processes import ProcessGroup
from tests import forking
from tests.samples import PERSONAL

# The same examples in each run, however slow the machine is.
settings.register_profile("fixed", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("fixed")

EVENTS = Path(__file__).parents[1] / "events"
SYNTHESIS = pytest.StashKey[subprocess.Popen[bytes]]()
PROGRAMS = pytest.StashKey[subprocess.Popen[bytes]]()
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")


def pytest_configure(config: pytest.Config) -> None:
    """Start what all workers share, before there are any: the programs that they fork, and what they deploy."""
    ProcessGroup.popen = staticmethod(forking.popen)
    if hasattr(config, "workerinput"):
        return
    config.stash[PROGRAMS] = forking.start_programs()
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        config.stash[SYNTHESIS] = subprocess.Popen([sys.executable, "-m", "tests.assemblies"], cwd=EVENTS.parent)


class TogetherScheduling(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives a worker the tests of one file, and all tests that import CDK to the same worker."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        needs_cdk = file.startswith("tests/infra/") or file == "tests/aws/courier/test_permissions.py"
        return "tests that import CDK" if needs_cdk else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> TogetherScheduling:
    """Make the scheduler of `make test`."""
    return TogetherScheduling(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the programs, and wait for the end of the synthesis."""
    for started in (PROGRAMS, SYNTHESIS):
        if process := config.stash.get(started, None):
            process.communicate()


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt, also if the shell that started this run has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,  # noqa: ARG001 - the hook's own name
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test whose output, logs, metrics and traces hold an address, a name, a subject or a body."""
    report = yield
    if (
        call.when != "setup"
        and report.passed
        and (leaked := leaks(report.capstdout + report.capstderr + report.caplog))
    ):
        report.outcome = "failed"
        report.longrepr = f"Personal data was printed: {leaked}"
    return report


def leaks(printed: str) -> list[str]:
    """Whatever personal data stands in what was printed, as text or as JSON spells it."""
    return _ADDRESS.findall(printed) + [text for text in personal_texts() if text in printed]


@cache
def personal_texts() -> frozenset[str]:
    texts = {*PERSONAL, *(text for file in EVENTS.glob("*.json") for text in _texts(file))}
    return frozenset(spelling for text in texts for spelling in (text, json.dumps(text)[1:-1]))


def _texts(file: Path) -> Iterator[str]:
    for record in json.loads(file.read_text())["Records"]:
        try:
            yield from _personal(json.loads(record["body"]))
        except ValueError:
            yield record["body"]


def _personal(reply: Any) -> Iterator[str]:
    """Each name, address, subject, attribute and line of a body."""
    if isinstance(reply, dict):
        for member, value in reply.items():
            if member == "CustomAttributes":
                yield from value.values()
            elif member in {"Subject", "Body", "DisplayName", "EmailAddress", "CustomerProfileAttributes"}:
                yield from (line for line in str(value).splitlines() if len(line) > len("Hello"))
            else:
                yield from _personal(value)
    elif isinstance(reply, list):
        for each in reply:
            yield from _personal(each)
