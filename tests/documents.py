"""The documents' console blocks: commands after `$`, and what they should print, where `…` stands for anything."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Shown:
    """A command, and the lines below it."""

    command: str
    output: tuple[str, ...]

    def missing(self, printed: str) -> list[str]:
        """The lines that were not printed, in this order; a line that is only `…` may be any number of lines."""
        lines = iter(printed.splitlines())
        return [shown for shown in self.output if shown != "…" and not any(_is(line, shown) for line in lines)]


def blocks(document: str, language: str) -> list[str]:
    """The text of each fenced block of a language in a document."""
    return [text for kind, text in FENCE.findall((ROOT / document).read_text()) if kind == language]


def shown(document: str) -> list[Shown]:
    """Each command of the console blocks of a document, top to bottom; a backslash continues it."""
    found: list[Shown] = []
    for block in blocks(document, "console"):
        for part in re.split(r"^\$ ", block.replace("\\\n", "\\\x00"), flags=re.MULTILINE)[1:]:
            command, *output = part.splitlines()
            found.append(Shown(command.replace("\x00", "\n"), tuple(output)))
    return found


def _is(line: str, shown: str) -> bool:
    """Whether a line is the one that is shown; blanks at its ends do not count."""
    return re.fullmatch(".*".join(map(re.escape, shown.strip().split("…"))), line.strip()) is not None
