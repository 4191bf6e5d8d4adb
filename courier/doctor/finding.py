"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

REVERT_DRIFT = "make deploy DEPLOY=--revert-drift restores what was changed by hand"
"""Advice that more than one check gives."""


class Verdict(StrEnum):
    """Whether it is as it should be."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer.

    Attributes:
        check: What was looked at.
        verdict: How it is.
        seen: What AWS said of it.
        advice: The next command, or what to do; None if it is good.
    """

    check: str
    verdict: Verdict
    seen: str
    advice: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As `doctor --json` writes it."""
        return {"check": self.check, "verdict": self.verdict, "seen": self.seen, "next": self.advice}


def good(check: str, seen: str) -> Finding:
    """It is as it should be."""
    return Finding(check, Verdict.GOOD, seen)


def bad(check: str, seen: str, advice: str) -> Finding:
    """It is not."""
    return Finding(check, Verdict.BAD, seen, advice)


def unknown(check: str, seen: str, advice: str) -> Finding:
    """Nobody can tell from what was seen."""
    return Finding(check, Verdict.UNKNOWN, seen, advice)
