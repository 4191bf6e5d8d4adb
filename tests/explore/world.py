"""The state of everything at one moment, and what SQS and Connect make of a call. All of it is plain, hashable data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tests.samples import raw_message, reply

EPOCH = 1_800_000_000
TIMES = (0, 7 * 3600, 8 * 86_400, 60 * 86_400)
"""Seconds: the beginning, a time when the retry window is over and drafts expire, one when Connect may have forgotten a
token, and one when DynamoDB deletes items."""
MEMORY_SECONDS = 7 * 86_400

type Repeat = Literal["200", "200 if the same", "409"]
type Scope = Literal["token", "pair"]
type Attributes = tuple[tuple[str, str], ...]
type Wire = tuple[tuple[str, str, str | tuple[str, ...]], ...]
"""An item of the table: names, types and values, sorted."""


class Message(NamedTuple):
    """A message on one of the queues; its body names its reply."""

    id: str
    body: str
    attributes: Attributes
    sent_at: int
    receives: int = 0
    first_received_at: int = 0
    held: int = 0
    """How many processes have received it and are not done with it."""
    was_moved: bool = False


class Process(NamedTuple):
    """The function or an operator at work: what it began with, and every answer that it has got so far."""

    kind: Literal["function", "replay", "edit", "renew"]
    given: tuple[object, ...]
    answers: tuple[tuple[object, ...], ...] = ()
    holds: tuple[str, ...] = ()


class Email(NamedTuple):
    """What Connect has accepted."""

    token: str
    label: str
    body: str
    at: int


class Contact(NamedTuple):
    """A draft that the function has made, for a token and a body."""

    id: str
    made_for: tuple[str, str]
    made_at: int
    is_stopped: bool = False
    is_spent: bool = False


class Row(NamedTuple):
    """An item of the table."""

    key: str
    attributes: Wire


class Budget(NamedTuple):
    """How much may still happen that does not have to."""

    faults: int
    duplicates: int
    operations: int
    times: int


class State(NamedTuple):
    """Everything."""

    budget: Budget
    queue: tuple[Message, ...]
    dead: tuple[Message, ...] = ()
    emails: tuple[Email, ...] = ()
    refused: tuple[str, ...] = ()
    processes: tuple[Process, ...] = ()
    time: int = 0
    is_mended: bool = False
    sends: int = 0
    hole: bool = False
    """Whether the hole that docs/design.md names was met: a refusal that Connect remembers, and no letter about it."""

    contacts: tuple[Contact, ...] = ()
    given_up: tuple[str, ...] = ()
    """The contacts that the function has tried to stop."""
    table: tuple[Row, ...] = ()
    table_created: int = EPOCH
    late: tuple[tuple[object, ...], ...] = ()
    """Calls that will arrive after their caller has given up."""
    losses: int = 0
    """How often the table was lost or restored, or an item expired."""
    backup: tuple[Row, ...] | None = None
    had_duplicate: bool = False
    is_risky: bool = False
    """Whether the table was lost in one of the circumstances that docs/design.md names."""
    wrong: str = ""
    """The rule that a call has broken."""

    @property
    def now(self) -> int:
        """Seconds since the epoch. The loss of a table takes a while."""
        return EPOCH + TIMES[self.time] + 10 * self.losses


class Unknowns(NamedTuple):
    """What AWS doesn't document about drafts."""

    scope: Scope = "token"
    """Whether Connect remembers a token alone, or together with its contact."""
    contact_first: bool = False
    """Whether Connect checks the contact before the token."""
    stop: Literal["works", "refused", "no effect"] = "works"
    """What StopContact does to a draft."""
    loses_table: bool = False
    """Whether the table may be lost, restored, and forget what has expired."""


@dataclass(frozen=True)
class Scenario:
    """What a search begins with, and how the world answers.

    Attributes:
        name: Of the replies: see REPLIES.
        repeat: What Connect answers to a token that it has accepted.
        budget: How much may happen.
        remembers_refusals: Whether Connect answers 409 to a token that it has refused.
        refuses_spent: Whether Connect refuses a contact that has been sent.
        sqs_moves: Whether SQS moves a message itself, after MAX_RECEIVE_COUNT receives.
        environments: Of the function, at once.
        drafts: What Connect does with drafts, if the function makes them.
    """

    name: str
    repeat: Repeat
    budget: Budget
    remembers_refusals: bool = False
    refuses_spent: bool = False
    sqs_moves: bool = False
    environments: int = 2
    drafts: Unknowns | None = None


def body_of(label: str) -> str:
    """A sound reply to the contact of that name, or with a draft of its own and the label as its subject."""
    if not label.startswith("drafted"):
        return json.dumps(reply(ContactId=label))
    drafted = reply(EmailMessage=raw_message(Subject=label)) | {"CreateContact": {}}
    del drafted["ContactId"]
    return json.dumps(drafted)


BODIES = {label: body_of(label) for label in ("one", "two", "bad", "killer", "drafted one", "drafted bad")}
EDITED = {BODIES["bad"]: BODIES["one"], BODIES["drafted bad"]: BODIES["drafted one"]}
"""What an operator makes of a refused reply."""
LABELS = {body: label for label, body in BODIES.items()}
OWN_TOKEN: Attributes = (("ClientToken", "order-7"),)
REPLIES: dict[str, tuple[tuple[str, Attributes], ...]] = {
    "one reply": (("one", ()),),
    "one reply, a producer's token": (("one", OWN_TOKEN),),
    "a refused reply": (("bad", ()),),
    "two replies, one token": (("one", OWN_TOKEN), ("two", OWN_TOKEN)),
    "one reply, put twice": (("one", OWN_TOKEN), ("one", OWN_TOKEN)),
    "a killer and its neighbour": (("killer", ()), ("one", ())),
    "a drafted reply": (("drafted one", ()),),
    "a drafted reply, a producer's token": (("drafted one", OWN_TOKEN),),
    "a refused drafted reply": (("drafted bad", ()),),
    "a drafted reply, put twice": (("drafted one", OWN_TOKEN), ("drafted one", OWN_TOKEN)),
}


def beginning(scenario: Scenario) -> State:
    """All replies are on the queue."""
    messages = [
        Message(f"id-{n}", BODIES[label], attributes, EPOCH)
        for n, (label, attributes) in enumerate(REPLIES[scenario.name])
    ]
    return State(scenario.budget, tuple(messages), sends=len(messages))


def label_of(body: str) -> str:
    """Which reply a body is; an edit makes "one" of "bad"."""
    return LABELS[body]


class Answered(NamedTuple):
    """What Connect says, and the state after it."""

    status: int
    state: State


def connect_answers(state: State, scenario: Scenario, token: str, body: str) -> Answered:
    """Connect without faults."""
    label = label_of(body)
    before = next((e for e in state.emails if e.token == token and state.now - e.at <= MEMORY_SECONDS), None)
    if before:
        is_same = scenario.repeat == "200 if the same" and before.body == body
        return Answered(200 if is_same or scenario.repeat == "200" else 409, state)
    if scenario.remembers_refusals and token in state.refused:
        return Answered(409, state)
    is_spent = scenario.refuses_spent and any(email.label == label for email in state.emails)
    if (label == "bad" and not state.is_mended) or is_spent:
        return Answered(404, refusing(state, scenario, token))
    email = Email(token, label, body, state.now)
    return Answered(200, state._replace(emails=tuple(sorted((*state.emails, email)))))


def refusing(state: State, scenario: Scenario, token: str) -> State:
    """The state after a refusal."""
    if not scenario.remembers_refusals or token in state.refused:
        return state
    return state._replace(refused=tuple(sorted((*state.refused, token))))
