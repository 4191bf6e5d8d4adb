"""What may happen next: every answer to every call, and everything that SQS, time and people may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from contract.client_token import CLIENT_TOKEN, MESSAGE_ID
from tests.explore.drafts import draft_answers, late_arrivals, table_losses
from tests.explore.processes import DEAD, MAX_RECEIVE_COUNT, QUEUE, Call, End, next_step
from tests.explore.world import EDITED, TIMES, Message, Process, Scenario, State, connect_answers, label_of, refusing

if TYPE_CHECKING:
    from collections.abc import Iterator

OPERATORS = 2
"""At once."""


class Step(NamedTuple):
    """Something that happens, in words, and the state after it."""

    words: str
    state: State


def steps(state: State, scenario: Scenario) -> Iterator[Step]:
    """Everything that may happen next."""
    for number, process in enumerate(state.processes):
        rest = state.processes[:number] + state.processes[number + 1 :]
        match next_step(process):
            case End(failed):
                yield from _ended(state._replace(processes=rest), process, failed)
            case Call(operation, arguments):
                for words, answer, after in _answers(state, scenario, process, operation, arguments):
                    yield Step(f"{process.kind}: {words}", _with(after, rest, process, answer))
    yield from _receives(state, scenario)
    yield from _operations(state)
    for words, after in late_arrivals(state, scenario):
        yield Step(words, after)
    if scenario.drafts and scenario.drafts.loses_table and state.budget.faults:
        for words, after in table_losses(state, _spend(state, faults=1)):
            yield Step(words, after)
    if any(message.body in EDITED for message in state.dead) and not state.is_mended:
        yield Step("the contact is mended", state._replace(is_mended=True))
    # A draft may expire during a delivery.
    if state.budget.times and (not state.processes or scenario.drafts) and state.time + 1 < len(TIMES):
        yield Step(f"{TIMES[state.time + 1]} s are over", _spend(state, times=1)._replace(time=state.time + 1))


def _with(state: State, rest: tuple[Process, ...], process: Process, answer: tuple[object, ...] | None) -> State:
    """The state with a process that goes on, or without one that was killed."""
    if answer is None:
        return _released(state._replace(processes=rest), process)
    goes_on = process._replace(answers=(*process.answers, answer))
    if answer[0] == "letters":
        goes_on = goes_on._replace(holds=(*process.holds, *(letter.id for letter in answer[1])))  # type: ignore[attr-defined]
    return state._replace(processes=_sorted((*rest, goes_on)))


def _sorted(processes: tuple[Process, ...]) -> tuple[Process, ...]:
    """Which of two equal environments does something makes no difference."""
    return tuple(sorted(processes, key=hash))


type _Answer = tuple[str, tuple[object, ...] | None, State]
"""In words; as the process gets it, None where it is killed; and the state after it."""


def _answers(
    state: State, scenario: Scenario, process: Process, operation: str, arguments: tuple[object, ...]
) -> Iterator[_Answer]:
    worse = _spend(state, faults=1) if state.budget.faults else None
    if operation == "connect":
        yield from _connect_answers(state, worse, scenario, process, *arguments)  # type: ignore[arg-type]
        return
    if operation in {"get", "table", "update", "create", "stop", "describe", "attempt"}:
        yield from draft_answers(state, worse, scenario, process, operation, arguments)
        return
    if operation == "receive":
        letters = tuple(letter for letter in state.dead if not letter.held)
        held = _held(state, "dead", {letter.id for letter in letters}, 1)
        yield f"receives {len(letters)} letters", ("letters", letters), held
    else:
        done = _done(state, operation, arguments)
        yield f"{operation} is done", ("done",), done
        if worse:
            yield f"{operation} is refused", ("error" if process.kind == "function" else "refused",), worse
            if operation in {"send", "delete"}:
                lost = _done(worse, operation, arguments)
                yield f"{operation} is done, and its answer lost", ("lost",), lost
                yield f"killed after {operation}", None, lost
    if worse:
        yield f"killed before {operation}", None, _hole(worse, process)


def _connect_answers(
    state: State, worse: State | None, scenario: Scenario, process: Process, token: str, body: str
) -> Iterator[_Answer]:
    if label_of(body) == "killer":
        yield "the killer kills it", None, state
        return
    status, after = connect_answers(state, scenario, token, body)
    yield f"Connect answers {status}", ("sent",) if status == 200 else (str(status),), after
    if worse is None:
        return
    for fault in ("429", "500", "403"):
        yield f"Connect answers {fault}", (fault,), worse
    if status == 200:
        lost = after._replace(budget=worse.budget)
        yield "Connect's answer is lost", ("lost",), lost
        yield "killed after the call", None, lost
        yield "Connect answers 404", ("404",), refusing(worse, scenario, token)
    yield "killed before the call", None, worse
    if status == 404:
        yield "killed after a refusal", None, _hole(after._replace(budget=worse.budget), process, refused=True)


def _hole(state: State, process: Process, *, refused: bool = False) -> State:
    """Whether a reply in its first life was refused, and the function died before the dead-letter queue had it."""
    if process.kind != "function":
        return state
    was_refused = refused or any(answer[0] == "404" for answer in process.answers)
    return state._replace(hole=True) if was_refused and state.refused else state


def _done(state: State, operation: str, arguments: tuple[object, ...]) -> State:
    match operation, arguments:
        case "send", (url, tuple(sent)):
            new = tuple(
                Message(f"id-{state.sends + n}", body, attributes, state.now)
                for n, (body, attributes) in enumerate(sent)
            )
            state = state._replace(sends=state.sends + len(new))
            if url == QUEUE:
                return state._replace(queue=tuple(sorted((*state.queue, *new))))
            return state._replace(dead=tuple(sorted((*state.dead, *new))))
        case "delete", (url, tuple(ids)):
            if url == DEAD:
                return state._replace(dead=tuple(each for each in state.dead if each.id not in ids))
            return state._replace(queue=tuple(each for each in state.queue if each.id not in ids))
    return state  # what is hidden or shown is decided by which process holds it


def _ended(state: State, process: Process, failed: tuple[str, ...]) -> Iterator[Step]:
    """The end of a process; of the function, Lambda deletes what is done."""
    after = _released(state, process)
    if process.kind != "function":
        yield Step(f"{process.kind} ends", after)
        return
    if failed:
        after = _hole(after, process)
    done = set(process.holds) - set(failed)
    yield Step("the function ends", _done(after, "delete", (QUEUE, tuple(done))))
    if state.budget.faults and done:
        yield Step("the function ends, and what is done is not deleted", _hole(_spend(after, faults=1), process))


def _receives(state: State, scenario: Scenario) -> Iterator[Step]:
    if sum(process.kind == "function" for process in state.processes) >= scenario.environments:
        return
    free = [message for message in state.queue if not message.held]
    for message in free:
        if scenario.sqs_moves and message.receives >= MAX_RECEIVE_COUNT:
            moved = message._replace(was_moved=True, receives=0)
            rest = tuple(each for each in state.queue if each.id != message.id)
            yield Step("SQS moves a message", state._replace(queue=rest, dead=tuple(sorted((*state.dead, moved)))))
        else:
            yield _invoked("received", state, (message,))
    if (
        len(free) > 1 and not scenario.drafts
    ):  # not with the stack's batch size, but the function handles any number, in any order
        for together in (tuple(free[:2]), tuple(free[1::-1])):
            yield _invoked("received together", state, together)
    if state.budget.duplicates:
        yield from _duplicates(state, scenario)


def _duplicates(state: State, scenario: Scenario) -> Iterator[Step]:
    for message in state.queue:
        if message.held == 1:
            yield _invoked("received again in flight", _duplicated(state), (message,))
    for process in state.processes if scenario.drafts else ():
        if process.kind == "function" and process.given[2] == 0:
            yield Step("Lambda runs a receive twice", _run_twice(_duplicated(state), process))


def _duplicated(state: State) -> State:
    return _spend(state, duplicates=1)._replace(had_duplicate=True)


def _run_twice(state: State, process: Process) -> State:
    received, now, _ = process.given
    again = Process("function", (received, now, 1), holds=process.holds)
    held = _held(state, "queue", set(process.holds), 1)
    return held._replace(processes=_sorted((*held.processes, again)))


def _invoked(words: str, state: State, messages: tuple[Message, ...]) -> Step:
    received = tuple(
        each._replace(receives=each.receives + 1, first_received_at=each.first_received_at or state.now, held=0)
        for each in messages
    )
    by_id = {each.id: each for each in received}
    queue = tuple(by_id[each.id]._replace(held=each.held + 1) if each.id in by_id else each for each in state.queue)
    process = Process("function", (received, state.now, 0), holds=tuple(by_id))
    labels = ", ".join(f"{label_of(each.body)} ({each.receives})" for each in received)
    return Step(f"{words}: {labels}", state._replace(queue=queue, processes=_sorted((*state.processes, process))))


def _operations(state: State) -> Iterator[Step]:
    if not state.budget.operations or not state.dead:
        return
    spent = _spend(state, operations=1)
    for letter in state.dead:
        # Of letters without a token the documents say: `courier` only. The console would give them another one.
        has_token = any(name in {CLIENT_TOKEN, MESSAGE_ID} for name, _ in letter.attributes)
        if not letter.held and has_token:
            again = Message(f"id-{state.sends}", letter.body, letter.attributes, state.now)
            rest = tuple(each for each in state.dead if each.id != letter.id)
            yield Step(
                "the console redrives a letter",
                spent._replace(dead=rest, queue=tuple(sorted((*state.queue, again))), sends=state.sends + 1),
            )
    if sum(process.kind != "function" for process in state.processes) >= OPERATORS:
        return
    begun = [Process("replay", (state.now, False)), Process("renew", (state.now,))]
    begun += [Process("edit", (letter.id, state.now)) for letter in state.dead if letter.body in EDITED]
    for process in begun:
        yield Step(f"{process.kind} begins", spent._replace(processes=_sorted((*state.processes, process))))


def _released(state: State, process: Process) -> State:
    """What a process held is visible again, once its time is over."""
    return _held(state, "queue" if process.kind == "function" else "dead", set(process.holds), -1)


def _held(state: State, where: str, ids: set[str], change: int) -> State:
    def changed(messages: tuple[Message, ...]) -> tuple[Message, ...]:
        return tuple(each._replace(held=each.held + change) if each.id in ids else each for each in messages)

    return state._replace(queue=changed(state.queue)) if where == "queue" else state._replace(dead=changed(state.dead))


def _spend(state: State, **what: int) -> State:
    budget = state.budget
    return state._replace(budget=budget._replace(**{name: getattr(budget, name) - n for name, n in what.items()}))
