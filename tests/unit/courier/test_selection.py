"""Which letters a command is about."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import typer

from contract.client_token import iso
from contract.message_attributes import string
from courier.cli.options import parse_duration
from courier.dead_letters import Letter
from courier.journal import Action
from courier.output import Failure, format_age
from courier.selection import Filters, Selection, process_selected, select_letters
from tests.fakes.sqs import letters
from tests.letters import account_on
from tests.samples import long_names

NOW = 1_800_000_000.0
DAY = 86_400


def letter(name: str = "id-1", *, contact: str = "c", age: float = 0, **attributes: str) -> Letter:
    ours = {"Reason": "NotFound", "ClientToken": f"t-{name}", "FirstTriedAt": iso(NOW - age), **attributes}
    values = {n: string(v) for n, v in long_names(ours).items()}
    return Letter(name, "handle", json.dumps({"ContactId": contact}), values, NOW - age)


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(ids=frozenset({"id-1", "other"})),
        Filters(reasons=frozenset({"NotFound"})),
        Filters(contacts=frozenset({"c"})),
        Filters(older_than=59),
        Filters(newer_than=61),
        Filters(frozenset({"id-1"}), frozenset({"NotFound"}), frozenset({"c"}), 59, 61),
    ],
)
def test_a_letter_meets_filters(filters: Filters) -> None:
    assert filters.match(letter(age=60), NOW)


@pytest.mark.parametrize(
    "filters",
    [
        Filters(ids=frozenset({"other"})),
        Filters(reasons=frozenset({"MovedBySqs"})),
        Filters(contacts=frozenset({"other"})),
        Filters(older_than=60),
        Filters(newer_than=60),
        Filters(reasons=frozenset({"NotFound"}), contacts=frozenset({"other"})),
    ],
)
def test_a_letter_fails_filters(filters: Filters) -> None:
    assert not filters.match(letter(age=60), NOW)


@dataclass
class Reader:
    """A dead-letter queue with these letters, of which each batch holds one."""

    queue: list[Letter]
    unseen: list[Failure] = field(default_factory=list)
    received: int = 0

    def batches(self, _max_letters: int) -> Iterator[list[Letter]]:
        for each in self.queue:
            self.received += 1
            yield [each]

    def unseen_failures(self) -> list[Failure]:
        return self.unseen


def select(selection: Selection, *queue: Letter, unseen: int = 0, up_to: float = math.inf) -> Reader:
    reader = Reader([*queue], [Failure("about 1 letter", "held")] * unseen)
    list(selection.select_from(reader, up_to=up_to))  # type: ignore[arg-type]  # what is called of it
    return reader


def named(*ids: str, limit: int | None = None, **more: Any) -> Selection:
    return Selection(Filters(ids=frozenset(ids), **more), NOW, limit, for_replay=True)


@pytest.mark.parametrize(("selection", "received"), [(named(limit=2), 2), (named("id-0"), 1), (named(), 5)])
def test_nothing_is_received_beyond_the_limit_or_the_last_id(selection: Selection, received: int) -> None:
    reader = select(selection, *(letter(f"id-{n}") for n in range(5)))
    assert (reader.received, len(selection.ids)) == (received, received)
    assert selection.is_finished


def test_ages_are_read_and_written() -> None:
    assert [parse_duration(age) for age in ("90s", "15m", "12h", "7d")] == [90, 900, 43_200, 604_800]
    assert [format_age(age) for age in (-5, 0, 59, 60, 3_599, 7_200, 9 * DAY)] == [
        "0s",
        "0s",
        "59s",
        "1m",
        "59m",
        "2h",
        "9d",
    ]
    for wrong in ("", "7", "d", "7 d", "1w", "-1d", "1.5h"):
        with pytest.raises(typer.BadParameter, match="is not a duration"):
            parse_duration(wrong)


def test_a_reply_that_comes_back_during_a_replay_is_not_replayed_again() -> None:
    selection = Selection(Filters(), NOW, None, for_replay=True)
    assert selection.take(letter("id-1"))
    assert not selection.take(letter("id-2", ClientToken="t-id-1"))
    assert (selection.ids, selection.duplicates, selection.failures) == ({"id-1"}, 1, [])


def test_copies_of_a_reply_are_all_discarded() -> None:
    selection = Selection(Filters(), NOW, None, for_replay=False)
    assert selection.take(letter("id-1"))
    assert selection.take(letter("id-2", ClientToken="t-id-1"))


def test_old_letters_stay_and_are_named_unless_forced() -> None:
    selection = Selection(Filters(), NOW, None, for_replay=True)
    assert not selection.take(letter(age=8 * DAY))
    assert [each.name for each in selection.failures] == ["id-1"]
    assert "more than 7 days ago" in selection.failures[0].why
    forced = Selection(Filters(), NOW, None, for_replay=True, force=True)
    assert forced.take(letter(age=8 * DAY))
    assert (forced.failures, forced.older_than_draft) == ([], 1)


def test_ids_that_were_not_seen_are_named() -> None:
    selection = Selection(Filters(ids=frozenset({"id-1", "id-2", "id-3"})), NOW, None, for_replay=True)
    select(selection, letter("id-1"), letter("id-2", age=8 * DAY), unseen=1)
    assert not selection.is_full
    assert [each.name for each in selection.failures] == ["id-2", "id-3"]


def test_an_id_is_missing_only_if_it_was_looked_for_and_not_seen() -> None:
    limited = named("id-1", "id-2", "id-3", limit=1)
    select(limited, letter("id-1"), letter("id-2"))
    other_reason = named("id-1", reasons=frozenset({"Refused"}))
    select(other_reason, letter("id-1"), letter("id-2"))
    canary = named("id-1", "id-2", "id-3")
    select(canary, letter("id-1"), letter("id-2"), up_to=1)
    assert [each.failures for each in (limited, other_reason, canary)] == [[], [], []]


def test_a_letter_that_someone_else_holds_may_have_been_meant_unless_ids_are_named() -> None:
    every = named()
    select(every, letter("id-1"), unseen=1)
    assert [each.name for each in every.failures] == ["about 1 letter"]


def test_a_letter_whose_body_is_unavailable_may_have_the_contact_and_is_named() -> None:
    unavailable = replace(letter("id-1", contact=""), payload_unavailable=True)
    by_contact = named(contacts=frozenset({"c"}))
    select(by_contact, unavailable, letter("id-2"), replace(unavailable, id="id-3", attributes={}))
    assert by_contact.ids == {"id-2"}
    assert [each.name for each in by_contact.failures] == ["id-1", "id-3"]
    by_both = named(contacts=frozenset({"c"}), reasons=frozenset({"Refused"}))
    select(by_both, unavailable)
    assert by_both.failures == []


def test_a_canary_refuses_letters_whose_outcome_the_log_never_tells() -> None:
    selection = Selection(Filters(), NOW, for_replay=True, traceable=True)
    assert not selection.take(letter("id-1", ClientToken="of ana"))
    assert selection.take(letter("id-2"))
    assert "replay it without --canary" in selection.failures[0].why


def test_the_limit_counts_what_is_chosen() -> None:
    selection = Selection(Filters(), NOW, 2, for_replay=True)
    assert [selection.take(letter(f"id-{n}", age=0 if n else 8 * DAY)) for n in range(4)] == [False, True, True, False]
    assert selection.is_full


def test_a_copy_that_was_asked_for_by_its_id_is_no_missing_one() -> None:
    selection = Selection(Filters(ids=frozenset({"id-1", "id-2"})), NOW, for_replay=True)
    assert [selection.take(letter("id-1")), selection.take(letter("id-2", ClientToken="t-id-1"))] == [True, False]
    assert (selection.is_full, selection.duplicates, selection.failures) == (True, 1, [])


def test_a_limit_is_not_used_up_by_letters_that_stay() -> None:
    ids = frozenset({"id-0", "id-1", "id-2"})
    selection = Selection(Filters(ids=ids), NOW, limit=1, for_replay=True)
    assert [selection.take(letter(each, age=8 * DAY if each == "id-0" else 0)) for each in sorted(ids)] == [
        False,
        True,
        False,
    ]


def test_what_was_taken_and_is_still_there_is_not_taken_for_a_copy() -> None:
    selection = Selection(Filters(), NOW, for_replay=True)
    for up_to in (1, 2):
        select(selection, letter(), up_to=up_to)
    assert (selection.ids, selection.duplicates) == ({"id-1"}, 0)


def test_what_failed_is_reported_although_an_error_ends_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    queues, action, selection = letters(20), Action(lambda *_: None), Selection(Filters(), NOW)
    account = account_on(queues)
    select_letters(account, selection)
    failures = [[Failure("id-1", "refused")]]

    def process(_reader: Any, _letters: Any) -> list[Failure]:
        return failures.pop()  # fails at the second batch

    with pytest.raises(IndexError):
        process_selected(account, selection, "Renewed", process, action)
    assert action.outcome == {"renewed": 9, "not_done": 1}
    assert capsys.readouterr().err == "courier: id-1: refused\n"
