"""``python -m tests.explore.mutants``: breaks the promise on purpose, in many ways, and says what noticed.

Each mutant is a change of one place in the code that the promise rests on. It is made in a copy of the project; then
the search runs within its small bounds, and after it the tests. The table goes to bench/results/mutants.md.
"""
# ruff: noqa: E501 - a mutant is a line

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from bench.report import markdown, report
from local.aws import ROOT

COPIED = ("bench", "contract", "courier", "events", "handler", "infra", "local", "tests", "docs")
SUITES = {
    "the search": ["tests/explore"],
    "unit tests": ["tests/unit/handler", "tests/unit/contract", "tests/unit/courier"],
    "tests with moto": ["tests/aws"],
}
RESULT = ROOT / "bench" / "results" / "mutants.md"


class Mutant(NamedTuple):
    """One place, as it is and as it is broken."""

    path: str
    old: str
    new: str
    what: str


# fmt: off
MUTANTS = [
    Mutant(
        "contract/client_token.py", "(CLIENT_TOKEN, MESSAGE_ID) if", "(CLIENT_TOKEN,) if", "the first id is no token"
    ),
    Mutant("contract/client_token.py", "(CLIENT_TOKEN, MESSAGE_ID) if", "(MESSAGE_ID, CLIENT_TOKEN) if", "the id wins"),
    Mutant("contract/client_token.py", "    return token\n", "    return token.lower()\n", "tokens change"),
    Mutant(
        "contract/client_token.py",
        "CLIENT_TOKEN not in attributes and MESSAGE_ID not in attributes",
        "MESSAGE_ID not in attributes",
        "a producer's token counts as a first life",
    ),
    Mutant(
        "contract/client_token.py",
        "CLIENT_TOKEN not in attributes and MESSAGE_ID not in attributes",
        "CLIENT_TOKEN not in attributes",
        "a re-sent reply counts as a first life",
    ),
    Mutant("contract/dead_letter.py", "REASON: string(reason)}\n    return _fit", "}\n    return _fit", "no reason"),
    Mutant("contract/dead_letter.py", "    defaults = {MESSAGE_ID: message_id, F", "    defaults = {F", "no first id"),
    Mutant("contract/dead_letter.py", "if name in attributes and is_valid(attributes[name]):", "if False:", "each life has a first id and a first try of its own"),
    Mutant("contract/dead_letter.py", "if name not in COURIER_ATTRIBUTES and", "if", "old reasons stay"),
    Mutant("contract/client_token.py", "7 * 86_400", "70 * 86_400", "a token holds for 70 days"),
    Mutant(
        "contract/client_token.py",
        "return -math.inf if tried_at is None else",
        "return None if tried_at is None else",
        "no time",
    ),
    Mutant("contract/client_token.py", "else min(tried_at, sent_at)", "else tried_at", "a first try in the future"),
    Mutant("handler/message.py", "tried is None and self.receive_count > 1", "False", "a second receive is a first"),
    Mutant("handler/services/connect.py", "ClientToken=token, **reply", "**reply", "botocore makes up a token"),
    Mutant("handler/services/connect.py", "TOKEN_ALREADY_USED and token_is_message_id", "TOKEN_ALREADY_USED", "any 409 is sent"),
    Mutant(
        "handler/services/connect.py", "TOKEN_ALREADY_USED and token_is_message_id", "TOKEN_ALREADY_USED and False", "no 409 is sent"
    ),
    Mutant(
        "handler/services/connect.py",
        "return verdict_for(error, token_is_message_id=token_is_message_id)",
        "return AlreadySent('')",
        "every failure is sent",
    ),
    Mutant("handler/services/connect.py", 'if "ContactId" not in answer:', "if False:", "an answer that cannot be read is sent"),
    Mutant("handler/services/connect.py", "or status == 408 ", "", "408 is dead-lettered"),
    Mutant(
        "handler/delivery.py",
        "except Exception as error:  # noqa: BLE001 - whatever",
        "except KeyError as error:  # whatever",
        "a refused letter",
    ),
    Mutant(
        "handler/delivery.py",
        "return self._retry(message, unavailable, seconds_left)",
        "return True",
        "a letter that the queue refused is done",
    ),
    Mutant("handler/delivery.py", "        return False\n\n\ndef has_id", "        return True\n\n\ndef has_id", "what is handed back is done"),
    Mutant("handler/sender.py", "if token_expired(", "if False and token_expired(", "tokens never age"),
    Mutant("handler/delivery.py", "was_tried = verdict.connect_called or", "was_tried = False and", "no first try is noted"),
    Mutant(
        "handler/sender.py",
        "        if message.receive_count > self.settings.max_receives:\n            return True\n",
        "",
        "killers are tried for ever",
    ),
    Mutant(
        "handler/verdict.py",
        "if now - message.first_received_at > window:",
        "if False:",
        "no window",
    ),
    Mutant(
        "handler/delivery.py",
        "return self._dead_letter(message, verdict, seconds_left)",
        "return True",
        "letters are not sent",
    ),
    Mutant("courier/sending.py", "if letter.id in accepted])", "])", "what SQS did not take is deleted"),
    Mutant(
        "courier/sending.py",
        "return iso(letter.sent_at) if letter.reason == MOVED_BY_SQS else None",
        "return None",
        "what SQS moved was never tried",
    ),
    Mutant("courier/selection.py", "if token in self._tokens:", "if False:", "copies go round"),
    Mutant(
        "courier/selection.py", "letter.token_expired(self.now) and not self.force", "False", "old letters are replayed"
    ),
    Mutant("courier/edit.py", "    if new_token:\n", "    if True:\n", "each edit has a new token"),
    Mutant("courier/edit.py", "!= FIRST_TRIED_AT}", '!= ""}', "a new token is as old as the first one"),
]
# fmt: on


SOUND = Mutant("contract/client_token.py", "    return token\n", "    return token\n", "nothing")
"""No change at all: whatever notices it would call every mutant killed."""


def noticed_by(mutant: Mutant) -> str:
    """What notices a mutant; nothing if it survives."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in COPIED:
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / file, folder)
        path = folder / mutant.path
        text = path.read_text()
        if text.count(mutant.old) != 1:
            raise ValueError(f"{mutant.path} has {text.count(mutant.old)} times {mutant.old!r}")
        path.write_text(text.replace(mutant.old, mutant.new))
        return next(_failing(folder), "nothing")


def _failing(folder: Path) -> Iterator[str]:
    for suite, paths in SUITES.items():
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", "not mutant", *paths]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if ran.returncode:
            failed = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED tests", "ERROR tests"))]
            yield (
                f"{suite}: `{failed[0].split('::')[-1].split(' - ')[0]}`" if failed else f"{suite}: {ran.stdout[-200:]}"
            )


def main() -> int:
    """Try all; return the exit status: 1 if one survives, or if the sound code fails too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what runs in the background without it
    rows = []
    with ThreadPoolExecutor(2) as pool:
        if (noticed := noticed_by(SOUND)) != "nothing":
            print(f"the sound code fails: {noticed}", file=sys.stderr)
            return 1
        for mutant, noticed in zip(MUTANTS, pool.map(noticed_by, MUTANTS), strict=True):
            rows.append([mutant.path, mutant.what, noticed])
            print(rows[-1], flush=True)
    survivors = sum(row[2] == "nothing" for row in rows)
    text = f"# Mutants\n\n{len(rows)} changes that break the promise, and what noticed; {survivors} survived.\n\n"
    RESULT.write_text(
        report("python -m tests.explore.mutants", text + markdown(["", "what is broken", "noticed by"], rows))
    )
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
