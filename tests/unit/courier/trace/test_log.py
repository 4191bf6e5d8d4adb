"""What is asked of CloudWatch Logs Insights, and what becomes of its answers."""

from __future__ import annotations

import json
import re
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from contract.client_token import is_identifier
from courier.trace.log import MAX_QUERY_SECONDS, MAX_ROWS, LogSearch, LogSearchError, query, read_line
from local.aws import ROOT
from local.moto import insights
from tests.fakes.function import FakeClock
from tests.letters import NOW
from tests.log_lines import text_fields


class Stubbed:
    """CloudWatch as botocore knows it: what is asked and answered has to be of the right form."""

    def __init__(self) -> None:
        self.logs = boto3.client("logs", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
        self.stub = Stubber(self.logs)
        self.stub.activate()
        self.clock = FakeClock()
        self.search = LogSearch(self.logs, "group", 1000.7, 2000.2, self.clock.sleep, self.clock)

    def asked(self, query_string: str) -> None:
        """Expect a query."""
        parameters = {"logGroupName": "group", "startTime": 1000, "endTime": 2001, "queryString": query_string}
        self.stub.add_response("start_query", {"queryId": "q"}, parameters)

    def answers(self, status: str, *messages: str) -> None:
        """Answer the next look at it."""
        rows = [
            [{"field": "@timestamp", "value": "2026-11-22 08:15:00.000"}, {"field": "@message", "value": message}]
            for message in messages
        ]
        self.stub.add_response("get_query_results", {"status": status, "results": rows}, {"queryId": "q"})


@pytest.fixture
def stubbed() -> Stubbed:
    return Stubbed()


def test_it_waits_until_the_query_is_done_and_reads_the_lines_of_messages(stubbed: Stubbed) -> None:
    stubbed.asked(query(["t-1"]))
    for status in ("Scheduled", "Running", "Running", "Running"):
        stubbed.answers(status)
    stubbed.answers("Complete", json.dumps(text_fields(1, "reply_sent")), '{"_aws": {}}')
    assert [line.event for line in stubbed.search.find(["t-1"])] == ["reply_sent"]
    assert sum(stubbed.clock.slept) == pytest.approx(0.2 + 0.3 + 0.5 + 0.5)
    assert stubbed.search.is_complete


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "Timeout", "Unknown"])
def test_a_query_that_fails_is_told(stubbed: Stubbed, status: str) -> None:
    stubbed.asked(query())
    stubbed.answers(status)
    with pytest.raises(LogSearchError, match=status):
        list(stubbed.search.run(query()))


def test_a_query_without_an_end_is_given_up(stubbed: Stubbed) -> None:
    stubbed.asked(query())
    for _ in range(2 * MAX_QUERY_SECONDS + 10):
        stubbed.answers("Running")
    with pytest.raises(LogSearchError, match="shorter --since"):
        list(stubbed.search.run(query()))


def test_as_many_rows_as_a_query_gives_may_not_be_all(stubbed: Stubbed) -> None:
    stubbed.asked(query())
    stubbed.answers("Complete", *["{}"] * MAX_ROWS)
    list(stubbed.search.run(query()))
    assert not stubbed.search.is_complete


def test_names_that_the_log_withholds_are_not_asked_for(stubbed: Stubbed) -> None:
    assert list(stubbed.search.find(["a b", '" or 1 = 1', "ada@example.com", ""])) == []


@given(st.text())
def test_nothing_breaks_out_of_its_quotes(name: str) -> None:
    if not is_identifier(name):
        with pytest.raises(ValueError, match="identifiers"):
            query([name])
        return
    assert query([name]).count(f'["{name}"]') == 3
    assert insights.QUERY.fullmatch(query([name]))


@given(st.lists(st.text("abc.:/+=-_09", min_size=1, max_size=500), max_size=60, unique=True))
def test_every_name_is_asked_for_in_queries_that_are_short_enough(names: list[str]) -> None:
    asked: list[str] = []

    class Recording(LogSearch):
        def run(self, query_string: str) -> Any:
            assert len(query_string) <= 10_000
            asked.extend(re.findall(r'"([^"]*)"', query_string)[: query_string.count('"') // 6])
            return iter(())

    no_client: Any = None
    list(Recording(no_client, "group", 0, 1).find(names))
    assert sorted(asked) == sorted(names)


def test_the_function_writes_every_field_that_trace_and_the_saved_query_use() -> None:
    written = (ROOT / "handler" / "observability.py").read_text()
    saved = (ROOT / "infra" / "dashboard.py").read_text()
    for field in re.findall(r"(\w+) in \[", query(["x"])):
        assert f'"{field}"' in written
        assert f'{field} = "' in saved


def read(at: float = 1, event: str = "reply_sent", **more: Any) -> Any:
    return read_line(json.dumps(text_fields(at, event, **more)))


def test_a_line_is_read() -> None:
    line = read(contact_id="contact-1", connect_request_id="r-1", cause="Throttled", retry_in_seconds=0)
    assert (line.at, line.event, line.message_id, line.token) == (NOW + 1, "reply_sent", "m-1", "t-1")
    assert (line.contact_id, line.connect_request_id, line.cause) == ("contact-1", "r-1", "Throttled")
    assert (line.seconds, line.enqueued_at) == (0, NOW)
    assert read(event="attempt_failed", retry_in_seconds=0.5).seconds == 0.5


def test_what_is_withheld_is_not_known() -> None:
    line = read(client_token="(withheld)", contact_id="(withheld)")
    assert (line.token, line.contact_id) == (None, None)


def test_a_sent_reply_of_an_older_function_says_when_it_was_put_in_other_words() -> None:
    assert read(at=9, enqueued_at=None, seconds_since_enqueued=4).enqueued_at == NOW


def test_nothing_that_is_not_an_identifier_is_kept() -> None:
    assert read(event="Dear Ada") is None
    assert read(message_id="m 1") is None
    assert read(cause="\x1b[2J", reason="Ada Lovelace", error="a@b.c") == read()


@pytest.mark.parametrize(
    "text",
    ["", "7", "[]", "no JSON", "[" * 100_000, '{"_aws": {}}', '{"type": "platform.report", "record": {}}'],
)
def test_other_lines_are_not_about_a_message(text: str) -> None:
    assert read_line(text) is None


def test_a_line_without_a_time_is_not_told() -> None:
    assert read(timestamp="yesterday") is None
