"""The journal of what operators do: cut off, refused by CloudWatch, required or not."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from contract.message_attributes import string
from courier.dead_letters import Letter
from courier.journal import Action, JournalError, journal
from tests.fakes.faults import refusal
from tests.letters import NOW

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class ThereError(Exception):
    """As boto3 names it."""


@dataclass
class FakeLogs:
    """CloudWatch Logs: one log group, which takes so many lines and refuses the next ones."""

    room: int = 1_000
    lines: list[Any] = field(default_factory=list)
    streams: set[str] = field(default_factory=set)

    class exceptions:  # noqa: N801 - boto3's name
        ResourceAlreadyExistsException = ThereError

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> None:  # noqa: N803 - AWS's names
        assert logGroupName == "journal"
        if logStreamName in self.streams:
            raise ThereError
        self.streams.add(logStreamName)

    def put_log_events(self, *, logGroupName: str, logStreamName: str, logEvents: Any) -> None:  # noqa: N803
        assert logGroupName == "journal"
        assert logStreamName in self.streams
        if len(self.lines) >= self.room:
            raise refusal(400, "AccessDeniedException")
        self.lines += [json.loads(event["message"]) for event in logEvents]


class Session:
    region_name = "eu-central-1"


@dataclass
class FakeAccount:
    logs: FakeLogs = field(default_factory=FakeLogs)
    log_group: str | None = "journal"
    stack: str = "reply-courier"
    caller: str = "assumed-role/Operator/ada"
    session: Session = field(default_factory=Session)

    def known_output(self, _name: str) -> str | None:
        return self.log_group


def recorded(account: FakeAccount, *, required: bool = False, **requested: Any) -> AbstractContextManager[Action]:
    return journal(account, "dlq replay", required=required, now=lambda: NOW, **requested)  # type: ignore[arg-type]  # what it uses


def letter(number: int, token: str | None = None) -> Letter:
    attributes = {} if token is None else {"ClientToken": string(token)}
    return Letter(f"id-{number}", "handle", "{}", attributes, NOW)


def events(account: FakeAccount) -> list[str]:
    return [line["event"] for line in account.logs.lines]


def test_an_action_has_who_when_what_which_letters_and_the_outcome() -> None:
    account = FakeAccount()
    requested: Any = {"reasons": frozenset({"NotFound"}), "ids": frozenset(), "limit": 2, "force": False, "rate": None}
    with recorded(account, **requested) as action:
        action.record_letters([letter(1), letter(2, "t-2"), letter(3, "ana@example.com")])
        action.outcome = {"replayed": 2}
    started, affects, ended = account.logs.lines
    assert started == {
        "at": "2027-01-15T08:00:00.000+00:00",
        "action": started["action"],
        "event": "started",
        "what": "dlq replay",
        "by": "assumed-role/Operator/ada",
        "stack": "reply-courier",
        "region": "eu-central-1",
        "requested": {"reasons": ["NotFound"], "limit": 2},
    }
    assert (affects["ids"], affects["tokens"]) == (["id-1", "id-2", "id-3"], ["id-1", "t-2", None])
    assert ended["outcome"] == {"replayed": 2}
    assert {line["action"] for line in account.logs.lines} == {started["action"]}


def test_a_line_is_in_cloudwatch_before_anything_is_done() -> None:
    account = FakeAccount()
    with recorded(account) as action:
        assert events(account) == ["started"]
        action.record_letters([letter(1)])
        assert events(account) == ["started", "affects"]


def test_an_action_that_fails_says_why() -> None:
    account = FakeAccount()

    def cut_off() -> None:
        with recorded(account) as action:
            action.outcome = {"replayed": 1}
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert account.logs.lines[-1]["outcome"] == {"replayed": 1, "stopped_by": "KeyboardInterrupt"}


@pytest.mark.parametrize("account", [FakeAccount(log_group=None), FakeAccount(FakeLogs(room=0))])
def test_an_action_that_requires_the_journal_is_refused_without_it(account: FakeAccount) -> None:
    entered = False

    def act() -> None:
        nonlocal entered
        with recorded(account, required=True):
            entered = True

    with pytest.raises(JournalError, match="use --no-journal"):
        act()
    assert not entered


@pytest.mark.parametrize(
    ("account", "why"),
    [
        (FakeAccount(log_group=None), "no stack names a log group for it"),
        (FakeAccount(FakeLogs(room=0)), "CloudWatch refused the line (AccessDeniedException)"),
    ],
)
def test_any_other_action_warns_once_and_goes_on(
    account: FakeAccount, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with recorded(account) as action:
        action.record_letters([letter(1)])
    assert capsys.readouterr().err == f"The journal does not record this: {why}.\n"
    assert account.logs.lines == []


def test_a_later_line_that_is_refused_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    account = FakeAccount(FakeLogs(room=1))
    with recorded(account, required=True) as action:
        action.record_letters([letter(1)])
    assert events(account) == ["started"]
    assert capsys.readouterr().err.count("The journal does not record this") == 1


def test_two_actions_on_one_day_share_a_stream() -> None:
    account = FakeAccount()
    for _ in range(2):
        with recorded(account):
            pass
    assert account.logs.streams == {"2027-01-15"}
    assert events(account) == ["started", "ended"] * 2


def test_what_an_operator_types_is_printable_or_left_out() -> None:
    account = FakeAccount()
    with recorded(account, ids=frozenset({"id-1", "ana@example.com"})):
        pass
    assert account.logs.lines[0]["requested"] == {"ids": ["(unprintable)", "id-1"]}
