"""A send test on the screen: each answer as it comes, and what all of them prove."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from courier.doctor.send_test.conclusions import Proof
from courier.terminal.view import out, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from courier.doctor.send_test.answer import Answer, Step
    from courier.doctor.send_test.conclusions import Conclusion

STYLES = {Proof.PROVED: "green", Proof.DISPROVED: "bold red", Proof.OPEN: "yellow"}
WIDTH = 24


def show_answer(step: Step, answer: Answer) -> None:
    """A call and its answer, in a line."""
    say(f"{step.replace('_', ' '):{WIDTH}}{answer}")


def show_conclusions(conclusions: Iterable[Conclusion], emails: Iterable[str]) -> None:
    """Each question with its answer, the sentence it is about, and what only the mailbox knows."""
    for each in conclusions:
        out.print()
        say(each.question)
        say(each.so)
        line = Text(each.proof, style=STYLES[each.proof])
        out.print(line.append(f': {each.sentence.document}, "{each.sentence.text}"'), soft_wrap=not out.is_terminal)
    out.print()
    if subjects := ", ".join(f'"{email}"' for email in emails):
        say(f"Look into the mailbox: the test email {subjects} must be there once each.")
        say("One that is there twice was sent again by its repeat, whatever Connect answered: then tokens do not hold.")
