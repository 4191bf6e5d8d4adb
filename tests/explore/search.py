"""The search: breadth first through every state, so that a counterexample is a shortest one."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.explore.steps import Step, steps
from tests.explore.world import REPLIES, Scenario, State, beginning, label_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OURS = "ReplyCourier."


@dataclass
class Found:
    """What a search has found.

    Attributes:
        states: How many it went through.
        seconds: How long it took.
        known: How often what docs/design.md names as known.
        is_cut: Whether there are more states than it was allowed to go through.
        broken: What breaks the promise; None if nothing does.
        path: What led there, in words.
    """

    states: int = 0
    seconds: float = 0.0
    known: Counter[str] = field(default_factory=Counter)
    is_cut: bool = False
    broken: str | None = None
    path: list[str] = field(default_factory=list)


def explore(scenario: Scenario, most: int | None = None) -> Found:
    """Go through every state within the scenario's bounds, or through `most` of them."""
    found = Found()
    began = time.perf_counter()
    first = beginning(scenario)
    came_from: dict[int, int] = {hash(first): 0}
    layer = [first]
    while layer and found.broken is None and (most is None or len(came_from) < most):
        following: list[State] = []
        for state in layer:
            is_end = True
            for _, after in steps(state, scenario):
                is_end = False
                key = hash(after)
                if key in came_from:
                    continue
                came_from[key] = hash(state)
                if wrong := judge(after, scenario):
                    if wrong in KNOWN:
                        found.known[wrong] += 1
                        continue  # what follows from it is known as well
                    found.broken, found.path = wrong, path(scenario, key, came_from)
                    break
                following.append(after)
            if is_end and (wrong := unfinished(state)):
                found.broken, found.path = wrong, path(scenario, hash(state), came_from)
            if found.broken:
                break
        layer = following
    found.states, found.seconds = len(came_from), time.perf_counter() - began
    found.is_cut = bool(layer) and found.broken is None
    return found


TWO_UNDER_ONE_TOKEN = "two replies under one producer's token, and any repeat answers 200: the second is called sent"
LOST_TABLE = "a table that was lost in one of the circumstances that design.md names: it is sent twice"
REMEMBERED_REFUSAL = "a refusal in the first life that Connect remembers, and no letter about it: it is called sent"
KNOWN = {TWO_UNDER_ONE_TOKEN, REMEMBERED_REFUSAL, LOST_TABLE}
"""Named in docs/design.md."""


def judge(state: State, scenario: Scenario) -> str | None:
    """What is wrong with a state."""
    if state.wrong:
        return state.wrong
    emails = Counter(email.label for email in state.emails)
    labels = {label for label, _ in REPLIES[scenario.name]}
    is_edited = labels <= {"bad", "drafted bad"}  # an edit makes another text of it: it is one reply
    if is_edited:
        emails = Counter(dict.fromkeys(labels, emails.total()) if emails else {})
    for label in emails:
        if emails[label] > 1:
            return LOST_TABLE if state.is_risky else f"{label} was sent twice"
    # What the function has in its hands may reach the dead-letter queue yet.
    in_hand = (each for process in state.processes if process.kind == "function" for each in process.given[0])  # type: ignore[attr-defined]
    there = {label_of(message.body) for message in (*state.queue, *state.dead, *in_hand)}
    if is_edited:
        there = labels if there else set()
    for label in labels - there - emails.keys():
        if scenario.name == "two replies, one token" and scenario.repeat == "200":
            return TWO_UNDER_ONE_TOKEN
        is_hole = state.hole or (scenario.drafts and state.refused)
        return REMEMBERED_REFUSAL if is_hole else f"{label} is nowhere"
    for letter in state.dead:
        names = {name.removeprefix(OURS) for name, _ in letter.attributes}
        # One that SQS moved has no reason; when it is renewed, it gets its token and its first try.
        is_renewed = scenario.sqs_moves and {"MessageId", "FirstTriedAt"} <= names
        if not (letter.was_moved or is_renewed or {"MessageId", "Reason"} <= names):
            return "a letter without reason or token"
    return None


def unfinished(state: State) -> str | None:
    """What is wrong with a state that nothing follows: no fault is left, and all should have come to an end."""
    return "messages stay on the queue for ever" if state.queue or state.processes else None


def path(scenario: Scenario, key: int, came_from: dict[int, int]) -> list[str]:
    """What led to a state, in words."""
    keys = [key]
    while came_from[keys[-1]]:
        keys.append(came_from[keys[-1]])
    state, words = beginning(scenario), []
    for wanted in reversed(keys[:-1]):
        step = next(each for each in steps(state, scenario) if hash(each.state) == wanted)
        words.append(step.words)
        state = step.state
    return words


def along(scenario: Scenario, words: Sequence[str]) -> str | None:
    """What is wrong at the end of a path, or before it; for a counterexample that became a test."""
    states = [beginning(scenario)]
    for each in words:
        states = [step.state for state in states for step in _named(state, scenario, each)]
        assert states, f"nothing that may happen is called {each!r} here"
        for state in states:
            if (wrong := judge(state, scenario)) and wrong not in KNOWN:
                return wrong
    return None


def _named(state: State, scenario: Scenario, words: str) -> Iterator[Step]:
    return (step for step in steps(state, scenario) if step.words == words)


def as_test(scenario: Scenario, found: Found) -> str:
    """A counterexample as a test that can be run."""
    lines = "".join(f"        {words!r},\n" for words in found.path)
    return (
        f"def test_counterexample() -> None:\n    scenario = {scenario!r}\n"
        f"    assert along(scenario, [\n{lines}    ]) is None  # {found.broken}\n"
    )
