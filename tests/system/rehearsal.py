"""A section of the runbook, rehearsed on the deployed whole: its own commands, run as they stand there."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.aws import ROOT
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.waiting import until
from tests.operators import Operator, lines
from tests.samples import reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from local.system import LocalCourier

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
ASKS = ("replay", "edit", "discard", "renew")
"""Commands that ask: a rehearsal says --yes."""


def sections() -> dict[str, list[str]]:
    """The commands of each section that has any, in their order, by its heading."""
    parts = re.split(r"^##+ (.*)$", RUNBOOK, flags=re.MULTILINE)
    found = {}
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        if "- **First:**" in text:
            code = re.findall(r"`((?:courier|aws) [^`]+)`", text)
            found[heading] = list(dict.fromkeys(" ".join(command.split()) for command in code))
    return found


@dataclass
class Rehearsal:
    """Runs the commands of one section, and no others.

    Args:
        heading: The section's.
        courier: The deployed whole.
        operator: Who runs them.
        folder: For the files of an edit or a discard.
    """

    heading: str
    courier: LocalCourier
    operator: Operator
    folder: Path
    ran: set[str] = field(default_factory=set)
    files: int = 0

    @property
    def connect(self) -> ConnectControl:
        return ConnectControl(self.courier.connect_url)

    def run(self, command: str, **names: str) -> str:
        """Run one of the section's commands, with names in the place of ID and TOKEN; return what it says.

        Raises:
            AssertionError: The section does not have it, or it did not end in 0.
        """
        ended = self.tried(command, **names)
        assert ended.returncode == 0, (command, ended.returncode, ended.stdout, ended.stderr)
        return ended.stdout

    def tried(self, command: str, **names: str) -> subprocess.CompletedProcess[str]:
        """The same, whatever its exit code."""
        assert command in sections()[self.heading]
        self.ran.add(command)
        program, *words = shlex.split(command)
        words = [names.get(word, word) for word in words]
        if program == "aws":
            environment = self.operator.env
            return subprocess.run([program, *words], env=environment, capture_output=True, text=True, check=False)
        if any(asks in words for asks in ASKS):
            words.append("--yes")
        if "discard" in words:
            self.files += 1
            words += ["--to", str(self.folder / f"discarded-{self.files}.jsonl")]
        return self.operator.courier(*words)

    def put(self, contact: str, body: Any = None, **attributes: str) -> str:
        """A producer puts a reply on the queue; return its client token."""
        token = attributes.setdefault("ClientToken", str(uuid.uuid4()))
        self.operator.put(self.courier.queue_url, reply(ContactId=contact) if body is None else body, **attributes)
        return token

    def letter(self, reason: str) -> Mapping[str, str]:
        """The one dead letter with this reason, once it is there, and once the queue of replies is empty."""
        wait_until_empty(self.courier)
        dead_letters = self.courier.dead_letter_queue_url
        until(lambda: self.operator.counts(dead_letters) == (1, 0), f"a letter with {reason}")
        (letter,) = lines(self.operator.did("dlq", "list", "--json", "--reason", reason))
        return dict(letter)

    def sent_once(self, *contacts: str) -> None:
        """Wait until nothing is on the way, and see that each of these was sent, once, and that no letter is left."""
        wait_until_empty(self.courier)
        assert sorted(email["contact_id"] for email in self.connect.sent) == sorted(contacts)
        assert self.operator.counts(self.courier.dead_letter_queue_url) == (0, 0)

    def sent(self, count: int) -> None:
        """The same, of replies whose drafts the function made."""
        wait_until_empty(self.courier)
        assert len(self.connect.sent) == count
        assert self.operator.counts(self.courier.dead_letter_queue_url) == (0, 0)

    def editor_replaces(self, before: str, after: str) -> None:
        """Have `dlq edit` replace a part of the reply."""
        self.operator.edits_with(self.folder, f"text = text.replace({before!r}, {after!r})")

    def editor_writes(self, body: Any) -> None:
        """Have `dlq edit` write another reply."""
        self.operator.edits_with(self.folder, f"text = {json.dumps(body)!r}")

    @contextmanager
    def variable(self, name: str, value: str) -> Iterator[None]:
        """The function has another value of an environment variable meanwhile, as somebody sets it at Lambda."""
        deployed = self.courier.watch.function().environment[name]
        self._set(name, value)
        yield
        self._set(name, deployed)

    def _set(self, name: str, value: str) -> None:
        variables = {**self.courier.watch.function().environment, name: value}
        self.courier.aws.functions.update_function_configuration(
            FunctionName=self.courier.function.name, Environment={"Variables": variables}
        )
        until(lambda: self.courier.watch.function().environment == variables, "the function has it")

    @contextmanager
    def short_pause(self) -> Iterator[None]:
        """A pause lasts as long as an invocation may: meanwhile that is a second, as far as `courier` knows."""
        functions, function = self.courier.aws.functions, self.courier.function
        functions.update_function_configuration(FunctionName=function.name, Timeout=1)
        yield
        functions.update_function_configuration(FunctionName=function.name, Timeout=function.timeout)

    @contextmanager
    def ago(self, seconds: float) -> Iterator[None]:
        """What is put meanwhile was put so long ago. The poller pauses: a long poll would go on until now."""
        self.courier.poller.pause()
        self.courier.aws.skip(-seconds)
        yield
        self.courier.aws.skip(seconds)
        self.courier.poller.resume()


type Rehearse = Callable[[str], Rehearsal]
"""Begins the rehearsal of a section, by its heading."""
