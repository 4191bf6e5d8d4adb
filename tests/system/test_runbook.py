"""Each section of docs/runbook.md: what it is about is made to happen, its own commands are run, and it is over.

All share one deployment, whose retry window is a few seconds, so that what fails is soon dead-lettered.

Slow (some two minutes), since every section goes all the way through the deployed function.
"""

from __future__ import annotations

import re
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contract.client_token import iso
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.outcomes import subscribe
from local.waiting import until
from tests.operators import lines
from tests.samples import drafted, reply
from tests.system.rehearsal import Rehearse, sections

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = 86_400


def test_every_section_is_rehearsed() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_runbook*.py"))
    assert set(sections()) <= set(re.findall(r'"([\w ?]+)"', tests))


# What Connect, Lambda or AWS do


@pytest.mark.parametrize(
    ("heading", "trouble", "over"),
    [
        ("AccessDenied", lambda connect: connect.fail("access_denied", times=None), ConnectControl.clear_faults),
        ("ConnectUnavailable", lambda connect: connect.fail("internal_error", times=None), ConnectControl.clear_faults),
        ("ConnectTimedOut", lambda connect: connect.fail("drop_before", times=None), ConnectControl.clear_faults),
        (
            "ActiveEmailsFull",
            lambda connect: connect.settings(capacity=0),
            lambda connect: connect.settings(capacity=1000),
        ),
    ],
)
def test_connect_does_not_take_replies(
    rehearse: Rehearse, heading: str, trouble: Callable[[ConnectControl], None], over: Callable[[ConnectControl], None]
) -> None:
    """One reply waits until it is over; another one is as if it had waited for the whole retry window."""
    rehearsal = rehearse(heading)
    rehearsal.connect.draft("contact-1", "contact-2")
    trouble(rehearsal.connect)
    rehearsal.operator.letter(reply(ContactId="contact-2"), Reason="RetriesExhausted")
    rehearsal.put("contact-1")
    until(lambda: rehearsal.connect.calls, "it is tried")
    for command in sections()[heading]:
        if "replay" not in command:
            rehearsal.tried(command)
    assert "RetriesExhausted" in rehearsal.run("courier status")
    over(rehearsal.connect)
    (replay,) = (command for command in sections()[heading] if "replay" in command)
    rehearsal.run(replay)
    wait_until_empty(rehearsal.courier)
    if rehearsal.operator.dead_letters:  # its retry window of a few seconds was over first
        rehearsal.run(replay)
    rehearsal.sent_once("contact-1", "contact-2")


def test_a_reply_fails_for_the_whole_retry_window(rehearse: Rehearse) -> None:
    rehearsal = rehearse("RetriesExhausted")
    rehearsal.connect.draft("contact-1")
    rehearsal.connect.fail("attachment_not_approved", times=None)  # for it, the function does not slow down
    rehearsal.put("contact-1")
    rehearsal.letter("RetriesExhausted")
    assert "RetriesExhausted" in rehearsal.run("courier dlq groups")
    rehearsal.connect.clear_faults()
    rehearsal.run("courier dlq replay --reason RetriesExhausted --canary 5 --rate 2")
    assert "RetriesExhausted" not in rehearsal.run("courier status")
    rehearsal.sent_once("contact-1")


@pytest.mark.parametrize("heading", ["Throttled", "SlowerThanSendRate"])
def test_another_caller_uses_the_quota(rehearse: Rehearse, heading: str) -> None:
    rehearsal = rehearse(heading)
    contacts = [f"contact-{n}" for n in range(8)]
    rehearsal.connect.draft(*contacts)
    rehearsal.connect.settings(rate=2, burst=1)
    for contact in contacts:
        rehearsal.put(contact)
    until(lambda: any(call["status"] == 429 for call in rehearsal.connect.calls), "a call is throttled")
    rehearsal.tried("courier doctor")
    rehearsal.run("courier status")
    rehearsal.connect.settings(rate=1000, burst=1000)
    rehearsal.sent_once(*contacts)


def test_a_scan_goes_on(rehearse: Rehearse) -> None:
    rehearsal = rehearse("AttachmentPending")
    rehearsal.connect.draft("contact-1")
    rehearsal.connect.fail("attachment_not_approved", times=1)
    token = rehearsal.put("contact-1")
    until(lambda: rehearsal.connect.calls, "it is tried")
    until(lambda: "AttachmentPending" in rehearsal.tried("courier trace TOKEN", TOKEN=token).stdout, "it is told")
    rehearsal.sent_once("contact-1")
    until(lambda: "Sent at" in rehearsal.tried("courier trace TOKEN", TOKEN=token).stdout, "it is told")


def test_a_draft_is_not_known_everywhere_yet(rehearse: Rehearse) -> None:
    rehearsal = rehearse("ContactNotYetKnown")
    rehearsal.connect.settings(appear_seconds=1)
    token = rehearsal.put("", drafted())
    until(lambda: "ContactNotYetKnown" in rehearsal.tried("courier trace TOKEN", TOKEN=token).stdout, "it is told")
    rehearsal.sent(1)
    until(lambda: "Sent at" in rehearsal.tried("courier trace TOKEN", TOKEN=token).stdout, "it is told")


def test_a_user_has_too_many_drafts(rehearse: Rehearse) -> None:
    rehearsal = rehearse("UserFull")
    rehearsal.connect.fail("quota_exceeded", operation="CreateContact")
    token = rehearsal.put("", drafted(InitiationMethod="OUTBOUND", UserInfo={"UserId": "user-1"}))
    until(lambda: "UserFull" in rehearsal.tried("courier trace TOKEN", TOKEN=token).stdout, "it is told")
    rehearsal.sent(1)
    until(lambda: "Sent at" in rehearsal.tried("courier trace TOKEN", TOKEN=token).stdout, "it is told")


def test_new_drafts_are_held_back(rehearse: Rehearse) -> None:
    """A hold is longer than this stack's retry window: the letters are discarded in the end."""
    rehearsal = rehearse("DraftsHeld")
    logged = len(rehearsal.courier.logs)
    rehearsal.connect.fail("unavailable", times=None)
    put = 0

    def is_held() -> bool:
        nonlocal put
        rehearsal.put("", drafted())
        put += 1
        return any('"DraftsHeld"' in line.line for line in rehearsal.courier.logs[logged:])

    until(is_held, "a draft is held back", every=0.3)
    rehearsal.run("courier status")
    rehearsal.connect.clear_faults()
    wait_until_empty(rehearsal.courier)
    sent = len(rehearsal.connect.sent)
    letters, _ = rehearsal.operator.counts(rehearsal.courier.dead_letter_queue_url)
    assert sent + letters == put
    if letters:
        rehearsal.operator.did(
            "dlq", "discard", "--all", "--yes", "--because", "a test", "--to", str(rehearsal.folder / "held")
        )


def test_s3_does_not_give_large_bodies(rehearse: Rehearse) -> None:
    """Local AWS has no S3 that fails: the letter is as the function would leave it."""
    rehearsal = rehearse("PayloadsUnavailable")
    rehearsal.connect.draft("contact-1")
    rehearsal.operator.large_letter(Reason="RetriesExhausted")
    assert "RetriesExhausted" in rehearsal.run("courier status")
    rehearsal.run("courier dlq replay --reason RetriesExhausted --rate 2")
    rehearsal.sent_once("contact-1")


def test_the_table_does_not_answer(rehearse: Rehearse) -> None:
    """Local AWS has no table that fails: the letter is as the function would leave it."""
    rehearsal = rehearse("TableUnavailable")
    rehearsal.connect.draft("contact-1")
    rehearsal.operator.letter(reply(ContactId="contact-1"), Reason="RetriesExhausted")
    assert "RetriesExhausted" in rehearsal.run("courier status")
    rehearsal.run("courier dlq replay --reason RetriesExhausted --rate 2")
    rehearsal.sent_once("contact-1")


def test_drafts_fill_up_the_instance(rehearse: Rehearse) -> None:
    """Local AWS has no metrics of Connect: a pause keeps the function from calling it."""
    rehearsal = rehearse("ActiveEmailsHigh")
    rehearsal.connect.draft("contact-1")
    with rehearsal.short_pause():
        rehearsal.run("courier pause")
    rehearsal.put("contact-1")
    assert "PAUSED" in rehearsal.run("courier status")
    assert rehearsal.connect.calls == []
    rehearsal.run("courier resume")
    rehearsal.sent_once("contact-1")


def test_the_bus_does_not_hear(rehearse: Rehearse) -> None:
    rehearsal = rehearse("OutcomesLost")
    outcomes = subscribe(rehearsal.courier.aws)
    rehearsal.connect.draft("contact-1", "contact-2")
    rehearsal.courier.sqs_faults.fail("PutEvents", "error")
    token = rehearsal.put("contact-1")
    until(lambda: any("outcomes_lost" in line.line for line in rehearsal.courier.logs), "the event is lost")
    assert '"default"' in rehearsal.run("aws events list-event-buses")
    until(lambda: "Sent at" in rehearsal.tried("courier trace TOKEN", TOKEN=token).stdout, "it is told")
    assert outcomes.take() == []
    rehearsal.courier.sqs_faults.clear()
    rehearsal.put("contact-2")
    until(lambda: len(outcomes.take()) == 1, "the next event comes")
    rehearsal.sent_once("contact-1", "contact-2")


def test_the_dead_letter_queue_does_not_take_a_reply(rehearse: Rehearse) -> None:
    rehearsal = rehearse("DeadLetterQueueUnavailable")
    rehearsal.courier.sqs_faults.fail("SendMessage", "error")
    rehearsal.put("contact-1")
    until(lambda: rehearsal.courier.sqs_faults.struck["SendMessage", "error"], "SQS refuses it")
    assert "contact-1" not in rehearsal.run("courier dlq list")
    rehearsal.tried("courier doctor")
    rehearsal.courier.sqs_faults.clear()
    wait_until_empty(rehearsal.courier)
    assert "NotFound" in rehearsal.run("courier dlq list")


# What the function does, or does not


def test_the_function_fails(rehearse: Rehearse) -> None:
    rehearsal = rehearse("FunctionErrors")
    rehearsal.connect.draft("contact-1", "contact-2")
    rehearsal.connect.fail("hang", times=1, seconds=600)
    rehearsal.put("contact-1")
    until(lambda: rehearsal.connect.calls, "it is being sent")
    for environment in rehearsal.courier.environments:
        environment.kill()
    rehearsal.operator.put(rehearsal.courier.dead_letter_queue_url, reply(ContactId="contact-2"))  # SQS gave up on it
    rehearsal.tried("courier doctor")
    rehearsal.run("courier status")
    rehearsal.run("courier dlq replay --reason MovedBySqs")
    rehearsal.sent_once("contact-1", "contact-2")


@pytest.mark.parametrize("heading", ["FunctionThrottled", "OldestReplyTooOld", "RepliesSentLate"])
def test_nothing_is_invoked_for_a_while(rehearse: Rehearse, heading: str) -> None:
    """Local AWS's Lambda refuses nothing: nothing is invoked, which is what the queue sees."""

    rehearsal = rehearse(heading)
    rehearsal.connect.draft("contact-1")
    rehearsal.courier.poller.pause()
    rehearsal.courier.aws.skip(-7 * 3600)
    rehearsal.put("contact-1")
    rehearsal.courier.aws.skip(7 * 3600)
    for command in sections()[heading]:
        rehearsal.tried(command)
    assert re.search(r"replies +1 ", rehearsal.run("courier status"))
    rehearsal.courier.poller.resume()
    rehearsal.sent_once("contact-1")


def test_somebody_has_paused(rehearse: Rehearse) -> None:
    rehearsal = rehearse("NoRepliesSent")
    rehearsal.connect.draft("contact-1")
    functions, mapping = rehearsal.courier.aws.functions, rehearsal.operator.output("MappingId")
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    until(lambda: functions.get_event_source_mapping(UUID=mapping)["State"] == "Disabled", "the mapping is off")
    rehearsal.put("contact-1")
    assert "PAUSED" in rehearsal.run("courier status")
    assert "courier resume" in rehearsal.tried("courier doctor").stdout
    rehearsal.run("courier resume")
    rehearsal.run("courier dlq replay --reason RetriesExhausted --rate 2")
    rehearsal.sent_once("contact-1")


def test_a_wrong_text_goes_out(rehearse: Rehearse) -> None:
    """The setting is changed in the function's environment, as a deployment would; here it is not deployed again."""
    rehearsal = rehearse("A wrong text goes out")
    rehearsal.connect.draft("contact-wrong", "contact-right", "contact-known")
    with rehearsal.short_pause():
        rehearsal.run("courier pause")
    token = rehearsal.put("contact-wrong")
    rehearsal.put("contact-right")
    rehearsal.put("contact-known")
    assert "PAUSED" in rehearsal.run("courier status")
    assert "Unknown" in rehearsal.tried("courier trace TOKEN", TOKEN=token).stdout

    with rehearsal.variable("ALLOWED_RECIPIENTS", "nobody@example.invalid"):
        assert "only nobody@example.invalid" in rehearsal.tried("courier doctor").stdout
        rehearsal.run("courier resume")
        until(lambda: rehearsal.operator.counts(rehearsal.courier.dead_letter_queue_url) == (3, 0), "all come")
    assert rehearsal.connect.calls == []
    letters = rehearsal.folder / "letters.jsonl"
    rehearsal.run("courier dlq export letters.jsonl", **{"letters.jsonl": str(letters)})
    assert len(list(lines(letters.read_text()))) == 3
    rehearsal.run('courier dlq discard --contact CONTACT --because "wrong text"', CONTACT="contact-wrong")
    rehearsal.run("courier dlq replay --contact CONTACT", CONTACT="contact-known")
    rehearsal.run("courier dlq replay --reason RecipientNotAllowed --canary 5")
    status = rehearsal.run("courier status")
    assert "PAUSED" not in status
    assert "RecipientNotAllowed" not in status
    rehearsal.sent_once("contact-right", "contact-known")


def test_a_customer_asks(rehearse: Rehearse) -> None:
    rehearsal = rehearse("Did a customer get the answer?")
    rehearsal.connect.draft("contact-1")
    rehearsal.put("contact-1")
    rehearsal.sent_once("contact-1")
    trace = "courier trace CONTACT"
    until(lambda: "Sent at" in rehearsal.tried(trace, CONTACT="contact-1").stdout, "it is told")
    assert "Unknown" in rehearsal.tried(trace, CONTACT=str(uuid.uuid4())).stdout


def test_somebody_asks_who_it_was(rehearse: Rehearse) -> None:
    rehearsal = rehearse("Who did what")
    letter = rehearsal.operator.letter()
    file = rehearsal.folder / "discarded.jsonl"
    rehearsal.operator.did("dlq", "discard", letter, "--because", "a test", "--to", str(file), "--yes")
    journal = rehearsal.operator.output("JournalLogGroupName")
    noted = rehearsal.run(
        'aws logs filter-log-events --log-group-name JOURNAL --query "events[].message"', JOURNAL=journal
    )
    assert letter in noted
    assert "a test" not in noted
    rehearsal.run("courier dlq import FILE", FILE=str(file))
    assert "NotFound" in rehearsal.operator.did("dlq", "list")


def test_the_function_fails_at_a_reply(rehearse: Rehearse) -> None:
    """No reply is known at which it does: the letter is as the function would leave it."""
    rehearsal = rehearse("Unexpected")
    rehearsal.connect.draft("contact-1")
    token = str(uuid.uuid4())
    rehearsal.operator.letter(Reason="RetriesExhausted", ClientToken=token)
    assert "RetriesExhausted" in rehearsal.tried("courier trace TOKEN", TOKEN=token).stdout
    rehearsal.run("courier dlq replay --reason RetriesExhausted")
    rehearsal.sent_once("contact-1")


# Letters that wait


@pytest.mark.parametrize("heading", ["DeadLettersWaiting", "DeadLettersRising"])
def test_letters_wait(rehearse: Rehearse, heading: str) -> None:

    rehearsal = rehearse(heading)
    rehearsal.put("contact-1")
    letter = rehearsal.letter("NotFound")["id"]
    for command in sections()[heading]:
        assert "NotFound" in rehearsal.run(command)
    rehearsal.operator.did(
        "dlq", "discard", letter, "--because", "a test", "--to", str(rehearsal.folder / "x"), "--yes"
    )
    for command in sections()[heading]:
        assert "NotFound" not in rehearsal.run(command)


def test_a_letter_nears_seven_days(rehearse: Rehearse) -> None:
    rehearsal = rehearse("TokenExpiring")
    rehearsal.connect.draft("contact-1")
    tried = iso(time.time() - 6.2 * DAY)
    with rehearsal.ago(6 * DAY):
        rehearsal.operator.letter(ClientToken=str(uuid.uuid4()), FirstTriedAt=tried)
    assert "first tried 6 days ago or more" in rehearsal.run("courier status")
    assert "NotFound" in rehearsal.run("courier dlq list --older-than 5d")
    rehearsal.run("courier dlq replay --older-than 5d")
    rehearsal.sent_once("contact-1")
    assert "first tried" not in rehearsal.run("courier status")


def test_a_letter_nears_its_end(rehearse: Rehearse) -> None:
    rehearsal = rehearse("DeadLetterExpiring")
    with rehearsal.ago(12 * DAY):
        letter = rehearsal.operator.letter()
    assert "deleted by SQS within 3 days" in rehearsal.run("courier status")
    assert letter in rehearsal.run("courier dlq list")
    assert rehearsal.run("courier dlq renew") == "1 renewed.\n"
    assert "deleted by SQS" not in rehearsal.run("courier status")
