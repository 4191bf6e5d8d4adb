"""The contract's sentences about faults, as a person reads them: without Python's lists, and a typo told once."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_QUOTED = r"[\[{]('[^'\]}]*'(?:, '[^'\]}]*')*)[\]}]"
_ONE_OF = re.compile(f" must be one of {_QUOTED}")
_CONTAIN = re.compile(f"( must (?:not )?contain) {_QUOTED} properties")
_MISSING = re.compile(r"(?P<path>\S+) must contain (?P<names>.+?)(?P<rest> \(.*\))?", re.DOTALL)
_UNKNOWN = re.compile(r"(?P<path>\S+) must not contain (?P<names>.+?)(?P<rest> \(.*\))?", re.DOTALL)
_ALIKE = 0.75
"""Of 1: names that are so much alike are one misspelt (Subjekt and Subject: 0.86)."""


def readable(faults: Sequence[str]) -> list[str]:
    """The sentences in the words of people; a missing member and an unknown one like it are one fault."""
    plain = [_without_lists(fault) for fault in faults]
    unknown = {fault: found for fault in plain if (found := _UNKNOWN.fullmatch(fault))}
    told: list[str] = []
    spent: set[str] = set()
    for fault in plain:
        twin = next(_misspelt(fault, unknown), None)
        if twin is None:
            told.append(fault)
        else:
            spent.add(twin)
            path, wrong = unknown[twin]["path"], unknown[twin]["names"]
            told.append(f"{path}.{wrong} is not a member: did you mean {_MISSING.fullmatch(fault)['names']}?")  # type: ignore[index]  # it has matched
    return [fault for fault in told if fault not in spent]


def _misspelt(fault: str, unknown: dict[str, re.Match[str]]) -> Iterator[str]:
    """The faults that name a misspelling of the one member that this fault misses."""
    if missing := _MISSING.fullmatch(fault):
        for other, found in unknown.items():
            alike = difflib.SequenceMatcher(None, missing["names"].lower(), found["names"].lower()).ratio()
            if found["path"] == missing["path"] and alike >= _ALIKE and "," not in found["names"]:
                yield other


def _without_lists(fault: str) -> str:
    """`must be one of ['a', 'b']` as `must be a or b`, `must contain ['a'] properties` as `must contain a`."""
    if found := _ONE_OF.search(fault):
        return fault[: found.start()] + f" must be {_names(found[1], ' or ')}" + fault[found.end() :]
    if found := _CONTAIN.search(fault):
        return fault[: found.start()] + f"{found[1]} {_names(found[2], ', ')}" + fault[found.end() :]
    return fault


def _names(quoted: str, between: str) -> str:
    return between.join(name.strip("'") for name in quoted.split(", "))
