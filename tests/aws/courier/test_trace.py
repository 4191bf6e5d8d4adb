"""`courier trace` on a log group and a dead-letter queue of local AWS."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from contract.client_token import iso, parse_iso
from tests.log_lines import fields
from tests.operators import lines
from tests.samples import ADDRESS, reply

if TYPE_CHECKING:
    from tests.operators import Operator


def story(operator: Operator, name: str, *options: str) -> Any:
    """The one story that a trace tells."""
    (told,) = lines(operator.courier("trace", name, "--json", *options).stdout)
    return told


@pytest.mark.parametrize("name", ["t-1", "contact-1", "m-1", "m-2"])
def test_every_name_of_a_reply_leads_to_its_whole_story(operator: Operator, name: str) -> None:
    operator.logged(
        fields("reply_retried", cause="Throttled", retry_in_seconds=2, contact_id="contact-1"),
        fields("reply_dead_lettered", receive=2, reason="NotFound", connect_request_id="r-1"),
        fields("reply_sent", "m-2", contact_id="contact-1", connect_request_id="r-2", seconds_since_enqueued=0.5),
        fields("reply_sent", "m-3", client_token="t-2", contact_id="contact-2"),
    )
    told = story(operator, name)
    assert (told["client_token"], told["contact_ids"]) == ("t-1", ["contact-1"])
    assert [step["event"] for step in told["steps"]] == [
        "reply_retried",
        "reply_dead_lettered",
        "put_again",
        "reply_sent",
    ]
    assert told["steps"][2]["is_replay"]
    assert told["steps"][3]["connect_request_id"] == "r-2"
    assert (told["place"], told["at"]) == ("sent", told["steps"][3]["at"])


def test_a_contact_with_two_replies_has_two_stories(operator: Operator) -> None:
    operator.logged(
        fields("reply_sent", contact_id="contact-1"),
        fields("reply_dead_lettered", "m-2", client_token="t-2", contact_id="contact-1", reason="NotFound"),
    )
    letter = operator.letter(MessageId="m-2", ClientToken="t-2")
    first, second = lines(operator.did("trace", "contact-1", "--json"))
    assert (first["client_token"], first["place"]) == ("t-1", "sent")
    assert (second["client_token"], second["place"], second["why"]) == ("t-2", "dead_lettered", "NotFound")
    assert [each["id"] for each in second["letters"]] == [letter]


def test_a_reply_that_waits_has_a_time(operator: Operator) -> None:
    began = time.time()
    operator.logged(fields("reply_retried", cause="Unavailable", retry_in_seconds=7200))
    told = story(operator, "t-1")
    assert (told["place"], told["why"]) == ("waiting", "Unavailable")
    assert began + 3500 < (parse_iso(told["at"]) or 0) < time.time() + 3700


def test_a_letter_leads_to_the_log_and_is_not_touched(operator: Operator) -> None:
    first = operator.put(operator.queue_url)
    operator.logged(fields("reply_dead_lettered", first, client_token=first, reason="NotFound"))
    letter = operator.letter(MessageId=first)
    for name in (letter, first):
        told = story(operator, name)
        assert (told["place"], told["steps"][-1]["message_id"]) == ("dead_lettered", first)
    assert operator.counts(operator.dead_letter_queue_url) == (1, 0)


def test_what_is_not_found_is_unknown_and_the_exit_code_says_so(operator: Operator) -> None:
    run = operator.courier("trace", "nobody")
    assert run.returncode == 1
    assert "Unknown: neither the log of the last 14d nor the dead-letter queue has it." in run.stdout


def test_older_lines_than_asked_for_are_not_read(operator: Operator) -> None:
    operator.logged(fields("reply_sent"))
    assert story(operator, "t-1", "--since", "2h")["place"] == "sent"
    assert story(operator, "t-1", "--since", "50m")["place"] == "unknown"


@pytest.mark.parametrize("name", [ADDRESS, 't-1" or "1" = "1', "t-1'] | limit 1 #", "\\", "tök", "a b"])
def test_a_name_that_the_log_withholds_is_never_asked_for(operator: Operator, name: str) -> None:
    operator.logged(fields("reply_sent"), fields("reply_sent", "m-2", client_token="(withheld)"))
    run = operator.courier("trace", name)
    assert run.returncode == 1
    assert "withholds" in run.stderr
    assert "t-1" not in run.stdout
    assert ADDRESS not in run.stdout + run.stderr


def test_a_withheld_token_is_followed_from_its_letter_to_its_first_message(operator: Operator) -> None:
    operator.logged(fields("reply_dead_lettered", "m-1", client_token="(withheld)", reason="NotFound"))
    operator.letter(reply(ContactId=ADDRESS), MessageId="m-1", ClientToken=ADDRESS)
    run = operator.courier("trace", ADDRESS, "--json")
    (told,) = lines(run.stdout)
    assert (told["client_token"], told["contact_ids"], told["place"]) == (None, [], "dead_lettered")
    assert [step["event"] for step in told["steps"]] == ["reply_dead_lettered"]
    assert ADDRESS not in run.stdout + run.stderr


def test_a_stack_without_a_log_group_is_told_apart(operator: Operator) -> None:
    operator.aws.logs.delete_log_group(logGroupName=operator.log_group)
    run = operator.courier("trace", "t-1")
    assert run.returncode == 2
    assert "names a log group that does not exist" in run.stderr


def test_the_screen_tells_each_step_in_a_line_and_ends_in_a_sentence(operator: Operator) -> None:
    put_at = iso(time.time() - 3605)
    operator.logged(
        fields("attempt_failed", cause="Throttled", retry_in_seconds=0.4, enqueued_at=put_at),
        fields("reply_retried", cause="Throttled", retry_in_seconds=2, connect_request_id="r-1"),
        fields("reply_handed_back", receive=3, retry_in_seconds=0),
        fields("reply_dead_lettered", receive=4, reason="NotFound"),
    )
    letter = operator.letter(MessageId="m-1", ClientToken="t-1")
    told = operator.did("trace", "t-1").splitlines()
    assert told[0] == "Client token t-1"
    assert [line[26:].rstrip() for line in told[2:9]] == [
        "on the queue: message m-1",
        "receive 1: not sent: Throttled; next attempt in this receive",
        "receive 1: not sent: Throttled; next attempt in 2 s or later (Connect's request r-1)",
        "receive 2 left no line: cut off, or older than the search",
        "receive 3: handed back without an attempt; visible again in 0 s",
        "receive 4: moved to the dead-letter queue: NotFound",
        f"on the dead-letter queue, as {letter}: NotFound",
    ]
    assert " ".join(told[9:]).startswith("On the dead-letter queue since ")
    assert told[-1].rstrip().endswith("then: courier dlq replay --reason NotFound --canary 5")
