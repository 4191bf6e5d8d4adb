"""Every command in the console blocks of docs/courier.md, run on local AWS."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from tests.documents import shown
from tests.samples import reply

if TYPE_CHECKING:
    from pathlib import Path

    from tests.operators import Operator

ANY_LETTER = "2f31e353-54e7-4749-890e-5b7b09f3216f"
ELSEWHERE = {
    "export PATH=~/courier/bin:$PATH": "tests/system/test_courier.py installs it",
    "courier status --watch": "tests/aws/courier/test_terminal.py ends it by Ctrl-C",
    "courier doctor": "tests/aws/courier/test_doctor.py has a Connect",
    "courier doctor --json": "the same",
    "courier doctor --send-test c0ffee00-0000-4000-8000-000000000001 me@example.com": "the same",
    "courier --stack reply-courier-test --region eu-central-1 dlq list": "the stack of a test has another name",
}
MAY_END_IN_1 = {"trace"}
"""Of a reply that nobody knows."""


def test_every_command_of_the_reference_runs(operator: Operator, tmp_path: Path) -> None:
    (tmp_path / "replies.jsonl").write_text(json.dumps(reply()) + "\n")
    operator.edits_with(tmp_path, "text = text.replace('again?', 'again.')")
    commands = [each.command for each in shown("docs/courier.md")]
    assert set(ELSEWHERE) <= set(commands)
    for command in commands:
        if command in ELSEWHERE:
            continue
        letter = operator.letter(reply(ContactId="c0ffee00-0000-4000-8000-000000000001"), Reason="RetriesExhausted")
        words = shlex.split(command.replace(ANY_LETTER, letter))[1:]
        words = [str(tmp_path / word) if word.endswith(".jsonl") else word for word in words]
        asks = {"replay", "edit", "discard", "renew"} & set(words) and "--dry-run" not in words
        words += ["--to", str(tmp_path / "gone.jsonl")] if "discard" in words else []
        waits = ["--timeout", "1s"] if {"--wait", "--canary"} & set(words) else []
        ended = operator.courier(*words, *(["--yes"] if asks else []), *waits, stdin=json.dumps(reply()))
        expected = (0, 1) if MAY_END_IN_1 & set(words) or waits else (0,)
        assert ended.returncode in expected, (command, ended.stdout, ended.stderr)
