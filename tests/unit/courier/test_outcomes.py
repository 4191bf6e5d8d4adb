"""What became of replayed replies, from the function's log."""

import json
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectionClosedError

from contract.client_token import iso
from courier.outcomes import CLOCK_SKEW_SECONDS, Outcomes, OutcomeWatch
from courier.trace.log import LogLine, read_line
from tests.fakes.faults import refusal
from tests.fakes.function import FakeClock
from tests.letters import NOW, letter
from tests.log_lines import fields


def line(event: str, token: str = "t-1", put_at: float = 10, **more: Any) -> LogLine:
    """A line about a message that came to the queue `put_at` seconds after NOW."""
    text = fields(event, client_token=token, enqueued_at=iso(NOW + put_at), timestamp=iso(NOW + 20), **more)
    read = read_line(json.dumps(text))
    assert read
    return read


def outcomes(*tokens: str) -> Outcomes:
    """Of replies whose letters had come at NOW."""
    told = Outcomes()
    for token in tokens:
        told.add(letter(ClientToken=token))
    return told


def test_a_reply_is_sent_or_back_or_not_known() -> None:
    told = outcomes("t-1", "t-2", "t-3", "t-4")
    told.update(
        [
            line("reply_sent"),
            line("reply_dead_lettered", "t-2", reason="NotFound"),
            line("reply_retried", "t-3", cause="Throttled"),
            line("reply_already_sent", "t-4"),
            line("reply_sent", "of-another"),
        ]
    )
    assert (told.sent, told.came_back, told.pending) == ({"t-1", "t-4"}, {"t-2": "NotFound"}, {"t-3"})
    assert not told.all_sent


def test_lines_of_the_life_before_do_not_count() -> None:
    told = outcomes("t-1")
    told.update([line("reply_dead_lettered", put_at=-1, reason="NotFound")])
    told.update([line("reply_dead_lettered", put_at=0, reason="NotFound")])  # SQS moved it: it keeps its time
    assert told.pending == {"t-1"}


def test_a_line_of_a_function_that_does_not_say_when_the_message_came_tells_nothing() -> None:
    told = outcomes("t-1")
    text = json.dumps(fields("reply_dead_lettered", timestamp=iso(NOW + 20)))
    told.update([read for read in [read_line(text)] if read])
    assert told.pending == {"t-1"}


def test_sent_once_is_sent_whatever_becomes_of_a_copy() -> None:
    for lines in ([0, 1], [1, 0]):
        told = outcomes("t-1")
        both = [line("reply_sent"), line("reply_dead_lettered", reason="TokenAlreadyUsed")]
        told.update(both[n] for n in lines)
        assert (told.sent, told.came_back) == ({"t-1"}, {})
        assert told.all_sent


def test_a_token_that_the_log_withholds_is_counted_and_not_printed() -> None:
    told = outcomes("t 1", "t-2")
    assert str(told) == "0 sent, 0 came back, 1 not known yet, 1 can't be traced"
    assert told.to_json() == {"sent": [], "came_back": {}, "not_known": ["t-2"], "withheld": 1}


@dataclass
class FakeLogs:
    """CloudWatch Logs, with an answer for each look; an error is raised."""

    answers: list[list[dict[str, Any]] | Exception]
    asked: list[Any] = field(default_factory=list)

    def start_query(self, **query: Any) -> Any:
        self.asked.append(query)
        return {"queryId": "q"}

    def get_query_results(self, **_: Any) -> Any:
        found = self.answers.pop(0) if self.answers else []
        if isinstance(found, Exception):
            raise found
        return {
            "status": "Complete",
            "results": [[{"field": "@message", "value": json.dumps(each)}] for each in found],
        }


@dataclass
class FakeAccount:
    logs: FakeLogs
    session = boto3.Session(region_name="eu-central-1")

    def known_output(self, _name: str) -> str | None:
        return "log"


def sent(token: str) -> dict[str, Any]:
    return fields("reply_sent", client_token=token, enqueued_at=iso(NOW + 10), timestamp=iso(NOW + 20))


def watch(account: FakeAccount, clock: FakeClock) -> OutcomeWatch:
    return OutcomeWatch(account, lambda: NOW + clock(), clock, clock.sleep)  # type: ignore[arg-type]  # what is called of it


def test_a_wait_ends_when_the_last_is_known() -> None:
    account, clock, told = (
        FakeAccount(FakeLogs([[], [sent("t-1")], [sent("t-2")], []])),
        FakeClock(),
        outcomes("t-1", "t-2"),
    )
    watch(account, clock).wait(told, NOW, 900)
    assert told.all_sent
    assert len(account.logs.asked) == 3
    assert account.logs.asked[0]["startTime"] < NOW < account.logs.asked[0]["endTime"]


def test_a_wait_has_an_end() -> None:
    account, clock, told = FakeAccount(FakeLogs([])), FakeClock(), outcomes("t-1")
    begun = clock()
    watch(account, clock).wait(told, NOW, 12)
    assert clock() - begun == 12
    assert told.pending == {"t-1"}


def test_nobody_waits_for_what_the_log_never_tells() -> None:
    account, clock, told = FakeAccount(FakeLogs([])), FakeClock(), outcomes("t 1")
    watch(account, clock).wait(told, NOW, 900)
    assert (account.logs.asked, clock.slept) == ([], [])


def test_a_search_that_fails_is_repeated_from_the_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    failures = [refusal(400, "ThrottlingException"), ConnectionClosedError(endpoint_url="x")]
    account, clock, told = FakeAccount(FakeLogs([*failures, [sent("t-1")]])), FakeClock(), outcomes("t-1")
    clock.sleep(10_000)
    watch(account, clock).wait(told, NOW, 900)
    assert told.all_sent
    assert [asked["startTime"] for asked in account.logs.asked] == [NOW - CLOCK_SKEW_SECONDS] * 3
    assert "refused" not in capsys.readouterr().err


def test_a_search_that_is_not_allowed_ends_the_wait_and_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    account, clock, told = FakeAccount(FakeLogs([refusal(403, "AccessDeniedException")])), FakeClock(), outcomes("t-1")
    watch(account, clock).wait(told, NOW, 900)
    assert clock.slept == []
    assert "You are not allowed to" in capsys.readouterr().err


def test_lines_beyond_those_that_one_search_returns_are_searched_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.trace.log.MAX_ROWS", 2)
    newest, older = [sent("t-3"), sent("t-2")], [sent("t-1")]
    account, told = FakeAccount(FakeLogs([newest, older])), outcomes("t-1", "t-2", "t-3")
    watch(account, FakeClock()).read(told, NOW)
    assert told.all_sent
    assert [asked["endTime"] > NOW + 21 for asked in account.logs.asked] == [True, False]
