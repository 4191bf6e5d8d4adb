"""Lines of the function's log as `courier` reads them."""

import json
from typing import Any

import pytest

from courier.tracing.log_line import read_line
from tests.letters import NOW
from tests.log_lines import text_fields


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
