"""The journal of what operators do: on a full disk, cut off, refused by CloudWatch, of two terminals at once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contract.message_attributes import string
from courier.dead_letters import Letter
from courier.journal import FILE_VARIABLE, Action, journal, journal_file
from tests.fakes.faults import refusal
from tests.letters import NOW

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class ThereError(Exception):
    """As boto3 names it."""


@dataclass
class FakeLogs:
    """CloudWatch Logs: one log group."""

    refused: bool = False
    lines: list[Any] = field(default_factory=list)
    streams: set[str] = field(default_factory=set)

    class exceptions:  # noqa: N801 - boto3's name
        ResourceAlreadyExistsException = ThereError

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> None:  # noqa: N803 - AWS's names
        if self.refused:
            raise refusal(400, "AccessDeniedException")
        if logStreamName in self.streams:
            raise ThereError
        assert logGroupName == "journal"
        self.streams.add(logStreamName)

    def put_log_events(self, *, logGroupName: str, logStreamName: str, logEvents: Any) -> None:  # noqa: N803
        assert logGroupName == "journal"
        assert logStreamName in self.streams
        assert len(logEvents) <= 100
        assert [event["timestamp"] for event in logEvents] == sorted(event["timestamp"] for event in logEvents)
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


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "state" / "journal.jsonl"
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    return path


def kept(account: FakeAccount, warnings: list[str] | None = None, **asked: Any) -> AbstractContextManager[Action]:
    said = [] if warnings is None else warnings
    return journal(account, lambda: NOW, said.append, "dlq replay", **asked)  # type: ignore[arg-type]  # as above


def written(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def letter(number: int, token: str | None = None) -> Letter:
    attributes = {} if token is None else {"ClientToken": string(token)}
    return Letter(f"id-{number}", "handle", "{}", attributes, NOW)


def test_an_action_has_who_when_what_was_asked_which_letters_and_what_came_of_it(file: Path) -> None:
    account = FakeAccount()
    with kept(account, reasons=frozenset({"NotFound"}), ids=frozenset(), limit=2, force=False, rate=None) as action:
        action.record_letters([letter(1), letter(2, "t-2"), letter(3, "ana@example.com")])
        action.outcome = {"replayed": 2}
    begun, takes, ended = written(file)
    assert begun == {
        "at": "2027-01-15T08:00:00.000+00:00",
        "action": begun["action"],
        "event": "begun",
        "what": "dlq replay",
        "by": "assumed-role/Operator/ada",
        "stack": "reply-courier",
        "region": "eu-central-1",
        "asked": {"reasons": ["NotFound"], "limit": 2},
    }
    assert (takes["ids"], takes["tokens"]) == (["id-1", "id-2", "id-3"], ["id-1", "t-2", None])
    assert ended["outcome"] == {"replayed": 2}
    assert {line["action"] for line in (begun, takes, ended)} == {begun["action"]}
    assert account.logs.lines == [begun, takes, ended]
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_is_begun_is_on_the_disk_and_in_cloudwatch_before_anything_is_done(file: Path) -> None:
    account = FakeAccount()
    with kept(account) as action:
        assert [line["event"] for line in written(file)] == ["begun"]
        assert [line["event"] for line in account.logs.lines] == ["begun"]
        action.record_letters([letter(1)])
        assert [line["event"] for line in written(file)] == ["begun", "takes"]


def test_an_action_that_fails_says_by_what(file: Path) -> None:
    def cut_off() -> None:
        with kept(FakeAccount()) as action:
            action.outcome = {"replayed": 1}
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert written(file)[-1]["outcome"] == {"replayed": 1, "stopped_by": "KeyboardInterrupt"}


def test_without_a_journal_nothing_is_done(file: Path) -> None:
    file.mkdir(parents=True)  # no file can be there
    entered = False

    def act() -> None:
        nonlocal entered
        with kept(FakeAccount()):
            entered = True

    with pytest.raises(IsADirectoryError):
        act()
    assert not entered


def test_a_pause_does_not_wait_for_a_full_disk(file: Path) -> None:
    file.mkdir(parents=True)
    warnings: list[str] = []
    account = FakeAccount()
    with journal(account, lambda: NOW, warnings.append, "pause", required=False):  # type: ignore[arg-type]  # as above
        pass
    assert len(warnings) == 2
    assert [line["event"] for line in account.logs.lines] == ["begun", "ended"]


def test_a_later_line_that_cannot_be_written_stops_nothing(file: Path) -> None:
    warnings: list[str] = []
    account = FakeAccount()
    with kept(account, warnings) as action:
        file.unlink()
        file.mkdir()
        action.record_letters([letter(1)])
    assert "cannot be written: Is a directory" in warnings[0]
    assert [line["event"] for line in account.logs.lines] == ["begun", "takes", "ended"]


def test_cloudwatch_refusing_is_told_once_and_stops_nothing(file: Path) -> None:
    warnings: list[str] = []
    with kept(FakeAccount(FakeLogs(refused=True)), warnings):
        pass
    assert warnings == [
        f"The journal in CloudWatch could not be written (AccessDeniedException): these lines are in {file} alone."
    ]
    assert [line["event"] for line in written(file)] == ["begun", "ended"]


def test_where_no_stack_has_a_log_group_the_file_has_it_all(file: Path) -> None:
    account = FakeAccount(log_group=None)
    with kept(account):
        pass
    assert account.logs.lines == []
    assert len(written(file)) == 2


def test_many_letters_are_many_lines_and_calls(file: Path) -> None:
    account = FakeAccount()
    with kept(account) as action:
        for number in range(250):
            action.record_letters([letter(number)])
    assert len(account.logs.lines) == len(written(file)) == 252


def test_two_actions_on_one_day_share_a_stream(file: Path) -> None:
    account = FakeAccount()
    for _ in range(2):
        with kept(account):
            pass
    assert account.logs.streams == {"2027-01-15"}
    assert len(written(file)) == 4


def test_half_a_line_of_a_full_disk_does_not_spoil_the_next(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"at": "2027')
    with kept(FakeAccount()):
        pass
    half, begun, ended = file.read_text().splitlines()
    assert half == '{"at": "2027'
    assert [json.loads(line)["event"] for line in (begun, ended)] == ["begun", "ended"]


def test_what_an_operator_types_is_printable_or_left_out(file: Path) -> None:
    with kept(FakeAccount(), ids=frozenset({"id-1", "ana@example.com"})):
        pass
    assert written(file)[0]["asked"] == {"ids": ["(unprintable)", "id-1"]}


@pytest.mark.parametrize(
    ("environment", "path"),
    [
        ({FILE_VARIABLE: "/var/log/courier.jsonl"}, "/var/log/courier.jsonl"),
        ({"XDG_STATE_HOME": "/state"}, "/state/reply-courier/journal.jsonl"),
        ({}, f"{Path.home()}/.local/state/reply-courier/journal.jsonl"),
    ],
)
def test_where_the_file_is(environment: dict[str, str], path: str) -> None:
    assert journal_file(environment) == Path(path)
