"""Drafts in the explored world: Connect's contacts, the table, and the rules that every attempt must keep."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.dynamodb import KEY, holds, updated
from tests.explore.world import (
    MEMORY_SECONDS,
    Answered,
    Contact,
    Email,
    Message,
    Process,
    Row,
    Scenario,
    State,
    Wire,
    label_of,
    refusing,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPIRY_SECONDS = 7 * 3600
"""How long Connect keeps a draft here: what the function asks for with a retry window of 6 hours."""
CONTACT, MARKS = "ContactId", "Marks"

type Answer = tuple[str, tuple[object, ...] | None, State]
"""In words; as the process gets it, None where it is killed; and the state after it."""


def frozen(wire: Any) -> Wire:
    """Attributes in DynamoDB's form as hashable data."""
    return tuple(
        sorted(
            (name, kind, tuple(value) if isinstance(value, list) else value)
            for name, typed in wire.items()
            for kind, value in typed.items()
        )
    )


def thawed(wire: Wire) -> dict[str, Any]:
    """The reverse."""
    return {name: {kind: list(value) if isinstance(value, tuple) else value} for name, kind, value in wire}


def token_of(message: Message) -> str:
    attributes = dict(message.attributes)
    return attributes.get("ClientToken") or attributes.get("ReplyCourier.MessageId") or message.id


def key_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def mark_prefix(received: tuple[Message, ...], copy: int) -> int:
    """What begins the marks of one delivery, and of no other: 96 bits."""
    names = repr([(each.id, each.receives) for each in received] + [copy])
    return int(sha256(names.encode()).hexdigest()[:24], 16)


class _Delivering(NamedTuple):
    """What a process of the function is about."""

    message: Message
    prefix: str

    @classmethod
    def by(cls, process: Process) -> _Delivering:
        received, _, copy = process.given
        return cls(received[0], f"{mark_prefix(received, copy):024x}")  # type: ignore[arg-type, index]


def draft_answers(
    state: State,
    worse: State | None,
    scenario: Scenario,
    process: Process,
    operation: str,
    arguments: tuple[Any, ...],
) -> Iterator[Answer]:
    """Every answer to a call about a draft, without and with a fault."""
    match operation:
        case "get":
            yield from _read(worse, ("item", _row(state, arguments[0])), state, "GetItem")
        case "table":
            yield from _read(worse, ("created", state.table_created), state, "DescribeTable")
        case "update":
            yield from _update_answers(state, worse, arguments)
        case "create":
            yield from _create_answers(state, worse, process)
        case "stop":
            yield from _stop_answers(state, worse, scenario, arguments[0])
        case "describe":
            yield from _read(worse, ("known",), state, "DescribeContact")
        case "attempt":
            yield from _attempt_answers(state, worse, scenario, process, *arguments)


def _read(worse: State | None, answer: tuple[object, ...], state: State, name: str) -> Iterator[Answer]:
    yield f"{name} answers", answer, state
    if worse:
        yield f"{name} fails", ("error",), worse


def _row(state: State, key: str) -> Wire | None:
    return next((row.attributes for row in state.table if row.key == key), None)


def write(state: State, key: str, update: str, condition: str, values: Wire) -> tuple[tuple[object, ...], State]:
    """DynamoDB without faults: its answer, and the state after it."""
    before = _row(state, key)
    wire = None if before is None else thawed(before)
    if not holds(wire, condition, thawed(values)):
        return ("condition", before), state
    after = updated(wire or {KEY: {"S": key}}, update, thawed(values))
    if wire and wire[CONTACT] != after[CONTACT] and MARKS in wire:
        state = state._replace(wrong="the contact of an item with marks has changed")
    rest = tuple(row for row in state.table if row.key != key)
    table = tuple(sorted((*rest, Row(key, frozen(after)))))
    return ("written", frozen(after)), state._replace(table=table)


def _update_answers(state: State, worse: State | None, arguments: tuple[Any, ...]) -> Iterator[Answer]:
    answer, after = write(state, *arguments)
    yield f"UpdateItem is {answer[0]}", answer, after
    if worse is None:
        return
    yield "UpdateItem is refused", ("error",), worse
    yield "killed before UpdateItem", None, worse
    late = worse._replace(late=tuple(sorted((*worse.late, ("update", *arguments)), key=repr)))
    yield "UpdateItem is late, and its answer lost", ("lost",), late
    if answer[0] == "written":
        done = after._replace(budget=worse.budget)
        yield "UpdateItem is done, and its answer lost", ("lost",), done
        yield "killed after UpdateItem", None, done
        repeated, _ = write(done, *arguments)
        if repeated[0] == "condition":
            yield "UpdateItem is repeated by AWS itself", repeated, done


def _create_answers(state: State, worse: State | None, process: Process) -> Iterator[Answer]:
    message = _Delivering.by(process).message
    contact = Contact(f"draft-{len(state.contacts)}", (token_of(message), message.body), state.now)
    made = state._replace(contacts=(*state.contacts, contact))
    yield "CreateContact makes a draft", ("made", contact.id), made
    if worse is None:
        return
    for fault in ("429", "402", "500", "403", "404", "409"):
        yield f"CreateContact answers {fault}", (fault,), worse
    yield "killed before CreateContact", None, worse
    unknown = made._replace(budget=worse.budget)
    yield "CreateContact makes a draft, and its answer is lost", ("lost",), unknown
    yield "killed after CreateContact", None, unknown
    # The function makes each call under a token of its own, so only the network can repeat one.
    second = Contact(f"draft-{len(made.contacts)}", contact.made_for, state.now)
    yield (
        "CreateContact is repeated on its way, and makes a second draft",
        ("made", second.id),
        unknown._replace(contacts=(*made.contacts, second)),
    )
    yield "CreateContact is repeated on its way, and the repeat is a conflict", ("409",), unknown


def _stop_answers(state: State, worse: State | None, scenario: Scenario, contact_id: str) -> Iterator[Answer]:
    assert scenario.drafts
    stopped = state._replace(
        contacts=tuple(
            each._replace(is_stopped=True) if each.id == contact_id and scenario.drafts.stop != "no effect" else each
            for each in state.contacts
        ),
        given_up=tuple(sorted({*state.given_up, contact_id})),
    )
    if scenario.drafts.stop == "refused":
        yield "StopContact is refused", ("error",), stopped._replace(contacts=state.contacts)
    else:
        yield "StopContact is done", ("done",), stopped
    if worse:
        yield "StopContact fails", ("500",), stopped._replace(contacts=state.contacts, budget=worse.budget)
        yield "StopContact is done, and its answer lost", ("lost",), stopped._replace(budget=worse.budget)
        yield "killed before StopContact", None, worse
        yield "killed after StopContact", None, stopped._replace(budget=worse.budget)


def _attempt_answers(
    state: State, worse: State | None, scenario: Scenario, process: Process, token: str, contact_id: str, body: str
) -> Iterator[Answer]:
    state = state._replace(wrong=_wrong_attempt(state, process, token, contact_id, body) or state.wrong)
    status, after = attempt(state, scenario, token, contact_id, body)
    yield f"Connect answers {status}", ("sent",) if status == 200 else (str(status),), after
    if worse is None:
        return
    worse = worse._replace(wrong=state.wrong)
    for fault in ("429", "500", "402", "403"):
        yield f"Connect answers {fault}", (fault,), worse
    done = after._replace(budget=worse.budget)
    yield "Connect's answer is lost", ("lost",), done
    yield "killed after the attempt", None, done
    yield "killed before the attempt", None, worse
    late = worse._replace(late=tuple(sorted((*worse.late, ("attempt", token, contact_id, body)), key=repr)))
    yield "the attempt is late, and its answer lost", ("lost",), late
    if status == 200:
        yield "Connect answers 404", ("404",), refusing(worse, scenario, _name(scenario, token, contact_id))


def attempt(state: State, scenario: Scenario, token: str, contact_id: str, body: str) -> Answered:
    """Connect without faults."""
    assert scenario.drafts
    name, label = _name(scenario, token, contact_id), label_of(body)
    contact = next((each for each in state.contacts if each.id == contact_id), None)
    is_gone = contact is None or contact.is_stopped or state.now >= contact.made_at + EXPIRY_SECONDS
    is_spent = contact is not None and contact.is_spent and scenario.refuses_spent
    by_contact = Answered(404, refusing(state, scenario, name)) if is_gone or is_spent else None
    before = next((e for e in state.emails if e.token == name and state.now - e.at <= MEMORY_SECONDS), None)
    by_token = None
    if before or (scenario.remembers_refusals and name in state.refused):
        by_token = Answered(200 if before and scenario.repeat == "200" else 409, state)
    first, second = (by_contact, by_token) if scenario.drafts.contact_first else (by_token, by_contact)
    if answer := first or second:
        return answer
    if "bad" in label and not state.is_mended:
        return Answered(404, refusing(state, scenario, name))
    contacts = tuple(each._replace(is_spent=True) if each.id == contact_id else each for each in state.contacts)
    email = Email(name, label, body, state.now)
    return Answered(200, state._replace(emails=tuple(sorted((*state.emails, email))), contacts=contacts))


def _name(scenario: Scenario, token: str, contact_id: str) -> str:
    """What Connect remembers a token by."""
    assert scenario.drafts
    return token if scenario.drafts.scope == "token" else f"{token} with {contact_id}"


def _wrong_attempt(state: State, process: Process, token: str, contact_id: str, body: str) -> str:
    """What is wrong with an attempt, whatever Connect answers."""
    contact = next(each for each in state.contacts if each.id == contact_id)
    if contact_id in state.given_up:
        return "an attempt on a contact that was stopped"
    if contact.made_for != (token, body):
        return "an attempt on a draft that was made for another reply"
    if state.losses:  # the table can't know what it has lost
        return ""
    row = thawed(_row(state, key_of(token)) or ())
    if row.get(CONTACT) != {"S": contact_id}:
        return "an attempt with another contact than the item's"
    prefix = _Delivering.by(process).prefix
    if not any(mark.startswith(prefix) for mark in row.get(MARKS, {}).get("SS", ())):
        return "an attempt whose mark is not in the item"
    return ""


def late_arrivals(state: State, scenario: Scenario) -> Iterator[tuple[str, State]]:
    """Every call that is still under way arrives."""
    for number, (operation, *arguments) in enumerate(state.late):
        rest = state._replace(late=state.late[:number] + state.late[number + 1 :])
        if operation == "update":
            yield "a late UpdateItem arrives", write(rest, *arguments)[1]  # type: ignore[arg-type]
        else:
            yield "a late attempt arrives", attempt(rest, scenario, *arguments).state  # type: ignore[arg-type]


def table_losses(state: State, worse: State) -> Iterator[tuple[str, State]]:
    """The table is deleted and made anew, restored from a backup, or an item expires."""
    is_risky = bool(state.processes) or len({m.id for m in (*state.queue, *state.dead)}) > 1 or state.had_duplicate
    lost = worse._replace(losses=state.losses + 1, is_risky=state.is_risky or is_risky)
    lost = lost._replace(table_created=lost.now, late=tuple(each for each in lost.late if each[0] != "update"))
    yield "the table is lost, and made anew", lost._replace(table=())
    if state.backup is not None and state.backup != state.table:
        yield "the table is restored", lost._replace(table=state.backup)
    if state.backup is None:
        yield "the table is backed up", state._replace(backup=state.table)
    for row in state.table:
        if int(thawed(row.attributes)["DeleteAt"]["N"]) < state.now:
            yield (
                "an item expires",
                worse._replace(table=tuple(each for each in state.table if each != row), losses=state.losses + 1),
            )
