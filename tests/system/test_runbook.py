"""Each section of docs/runbook.md: what it is about is made to happen, its own commands are run, and it is over.

All share one deployment, whose retry window is a few seconds, so that what fails is soon dead-lettered.

Slow (some two minutes), since every section goes all the way through the deployed function.
"""

from __future__ import annotations

import itertools
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.client_token import iso
from contract.message_attributes import string
from contract.payload import pointer_message
from courier.aws import STACK
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.outcomes import subscribe
from local.system import LocalCourier, running
from local.waiting import until
from tests.operators import Operator, lines
from tests.samples import reply
from tests.settings import RUNBOOK
from tests.system.rehearsal import Rehearsal, sections

DAY = 86_400
TIMES = itertools.count(70, 70)
"""SQS purges a queue once in 60 s: for each purge its clock is skipped further ahead."""
NOT_ALLOWED = "ada.lovelace@elsewhere.example"

type Rehearse = Callable[[str], Rehearsal]


@pytest.fixture(scope="module")
def deployed() -> Iterator[LocalCourier]:
    with running(print, context=RUNBOOK) as courier:
        yield courier


@pytest.fixture
def rehearse(deployed: LocalCourier, tmp_path: Path) -> Iterator[Rehearse]:
    """Begins a rehearsal on empty queues; at the end every command of the section has to have been run."""
    connect = ConnectControl(deployed.connect_url)
    connect.reset()
    connect.settings(rate=1000, burst=1000)
    deployed.sqs_faults.clear()
    deployed.poller.pause()  # a long poll would go on until the clock is where it was
    deployed.aws.skip(next(TIMES) - deployed.aws.skip(0))
    for url in (deployed.queue_url, deployed.dead_letter_queue_url):
        deployed.aws.sqs.purge_queue(QueueUrl=url)
    deployed.aws.skip(-deployed.aws.skip(0))  # back: the retry window ends by real time
    deployed.poller.resume()
    logged = len(deployed.logs)
    operator = Operator(
        deployed.aws, STACK, deployed.queue_url, deployed.dead_letter_queue_url, deployed.payload_bucket
    )
    begun: list[Rehearsal] = []

    def begin(heading: str) -> Rehearsal:
        begun.append(Rehearsal(heading, deployed, operator, tmp_path))
        return begun[-1]

    yield begin
    for line in deployed.logs[logged:]:
        print(line.line)
    for rehearsal in begun:
        assert rehearsal.ran == set(sections()[rehearsal.heading])


def test_every_section_is_rehearsed() -> None:
    assert set(sections()) <= set(re.findall(r'"([\w ?]+)"', Path(__file__).read_text()))


def edits(rehearsal: Rehearsal, before: str, after: str) -> None:
    rehearsal.operator.edits_with(rehearsal.folder, f"text = text.replace({before!r}, {after!r})")


def writes(rehearsal: Rehearsal, body: Any) -> None:
    rehearsal.operator.edits_with(rehearsal.folder, f"text = {json.dumps(body)!r}")


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


def test_s3_does_not_give_large_bodies(rehearse: Rehearse) -> None:
    """Local AWS has no S3 that fails: the letter is as the function would leave it."""
    rehearsal = rehearse("PayloadsUnavailable")
    rehearsal.connect.draft("contact-1")
    rehearsal.operator.large_letter(Reason="RetriesExhausted")
    assert "RetriesExhausted" in rehearsal.run("courier status")
    rehearsal.run("courier dlq replay --reason RetriesExhausted --rate 2")
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
    functions, function = rehearsal.courier.aws.functions, rehearsal.courier.function
    # A pause lasts as long as an invocation may: a second, as far as `courier` knows.
    functions.update_function_configuration(FunctionName=function.name, Timeout=1)
    rehearsal.run("courier pause")
    functions.update_function_configuration(FunctionName=function.name, Timeout=function.timeout)
    token = rehearsal.put("contact-wrong")
    rehearsal.put("contact-right")
    rehearsal.put("contact-known")
    assert "PAUSED" in rehearsal.run("courier status")
    assert "Unknown" in rehearsal.tried("courier trace TOKEN", TOKEN=token).stdout

    with rehearsal.variable("ALLOWED_RECIPIENTS", "nobody@example.invalid"):
        assert "only nobody@example.invalid" in rehearsal.tried("courier doctor").stdout
        rehearsal.run("courier resume")
        until(lambda: rehearsal.operator.counts(rehearsal.courier.dead_letter_queue_url) == (3, 0), "all come", 60)
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


# Reasons


def test_a_reply_breaks_the_contract(rehearse: Rehearse) -> None:
    rehearsal = rehearse("InvalidReply")
    rehearsal.connect.draft("contact-1")
    token = rehearsal.put("contact-1", reply(Subject="outside"))
    letter = rehearsal.letter("InvalidReply")["id"]
    assert "Subject" in rehearsal.run("courier dlq show ID", ID=letter)
    writes(rehearsal, reply())
    assert "1 sent" in rehearsal.run("courier dlq edit ID --wait", ID=letter)
    assert "Sent at" in rehearsal.run("courier trace TOKEN", TOKEN=token)
    rehearsal.put("contact-2", "not JSON")
    letter = rehearsal.letter("InvalidReply")["id"]
    rehearsal.run('courier dlq discard ID --because "sent again"', ID=letter)
    rehearsal.sent_once("contact-1")


def test_a_recipient_is_not_allowed(rehearse: Rehearse) -> None:
    """A deployment with another setting is not rehearsed: replayed into this one, the reply comes back."""
    rehearsal = rehearse("RecipientNotAllowed")
    rehearsal.put("contact-1", reply(DestinationEmailAddress={"EmailAddress": NOT_ALLOWED}))
    letter = rehearsal.letter("RecipientNotAllowed")["id"]
    rehearsal.run("courier dlq show ID", ID=letter)
    rehearsal.run("courier dlq replay --reason RecipientNotAllowed")
    letter = rehearsal.letter("RecipientNotAllowed")["id"]
    rehearsal.run('courier dlq discard ID --because "a test"', ID=letter)
    assert "RecipientNotAllowed" not in rehearsal.run("courier status")
    rehearsal.sent_once()


def test_a_pointer_cannot_be_followed(rehearse: Rehearse) -> None:
    rehearsal = rehearse("InvalidPayload")
    rehearsal.connect.draft("contact-1")
    pointer, _ = pointer_message("another-bucket", "key", 100)
    token = rehearsal.put("contact-1", pointer)
    letter = rehearsal.letter("InvalidPayload")["id"]
    rehearsal.run("courier dlq show ID", ID=letter)
    writes(rehearsal, reply())
    rehearsal.run("courier dlq edit ID", ID=letter)
    rehearsal.sent_once("contact-1")
    until(lambda: "Sent at" in rehearsal.tried("courier trace TOKEN", TOKEN=token).stdout, "it is told")


def test_an_object_is_gone(rehearse: Rehearse) -> None:
    rehearsal = rehearse("PayloadNotFound")
    rehearsal.connect.draft("contact-1")
    token = str(uuid.uuid4())
    pointer, size = pointer_message(rehearsal.courier.payload_bucket, "gone-key", 100)
    rehearsal.operator.sqs.send_message(
        QueueUrl=rehearsal.courier.queue_url,
        MessageBody=pointer,
        MessageAttributes={**size, "ClientToken": string(token)},
    )
    letter = rehearsal.letter("PayloadNotFound")["id"]
    assert "gone-key" in rehearsal.run("courier dlq show ID", ID=letter)
    rehearsal.put("contact-1", ClientToken=token)
    rehearsal.run('courier dlq discard ID --because "sent again"', ID=letter)
    rehearsal.sent_once("contact-1")
    until(lambda: "Sent at" in rehearsal.tried("courier trace TOKEN", TOKEN=token).stdout, "it is told")


def test_a_token_cannot_be_used(rehearse: Rehearse) -> None:
    rehearsal = rehearse("InvalidClientToken")
    rehearsal.connect.draft("contact-1")
    rehearsal.put("contact-1", ClientToken="x" * 501)
    letter = rehearsal.letter("InvalidClientToken")["id"]
    rehearsal.run("courier dlq show ID", ID=letter)
    edits(rehearsal, "{", "{")  # nothing
    rehearsal.run("courier dlq edit ID", ID=letter)
    rehearsal.sent_once("contact-1")
    assert "InvalidClientToken" not in rehearsal.run("courier dlq list --reason InvalidClientToken")


def test_connect_says_the_request_is_wrong(rehearse: Rehearse) -> None:
    rehearsal = rehearse("InvalidRequest")
    rehearsal.connect.draft("contact-1")
    rehearsal.connect.fail("invalid_request")
    token = rehearsal.put("contact-1")
    letter = rehearsal.letter("InvalidRequest")["id"]
    assert "The request is not valid." in rehearsal.run("courier dlq show ID", ID=letter)
    edits(rehearsal, "again?", "again.")
    rehearsal.run("courier dlq edit ID --wait", ID=letter)
    assert "Sent at" in rehearsal.run("courier trace TOKEN", TOKEN=token)
    rehearsal.sent_once("contact-1")


def test_the_contact_is_not_known(rehearse: Rehearse) -> None:
    rehearsal = rehearse("NotFound")
    rehearsal.put("contact-1")
    letter = rehearsal.letter("NotFound")["id"]
    assert "Contact not found" in rehearsal.run("courier dlq show ID", ID=letter)
    rehearsal.connect.draft("contact-1")
    rehearsal.run("courier dlq replay --reason NotFound --canary 5")
    rehearsal.put("contact-2")
    letter = rehearsal.letter("NotFound")["id"]
    rehearsal.run('courier dlq discard ID --because "sent for a new draft"', ID=letter)
    assert "NotFound" not in rehearsal.run("courier dlq list --reason NotFound")
    rehearsal.sent_once("contact-1")


def test_connect_has_seen_the_token(rehearse: Rehearse) -> None:
    rehearsal = rehearse("TokenAlreadyUsed")
    rehearsal.connect.draft("contact-1", "contact-2")
    rehearsal.connect.settings(repeat="conflict")
    token = rehearsal.put("contact-1")
    wait_until_empty(rehearsal.courier)
    rehearsal.put("contact-1", ClientToken=token)  # its producer sends it again
    letter = rehearsal.letter("TokenAlreadyUsed")["id"]
    until(lambda: "Sent at" in rehearsal.tried("courier trace TOKEN", TOKEN=token).stdout, "it is told")
    rehearsal.run('courier dlq discard ID --because "the customer has it"', ID=letter)
    rehearsal.put("contact-2", ClientToken=token)  # another reply under the same token
    letter = rehearsal.letter("TokenAlreadyUsed")["id"]
    edits(rehearsal, "again?", "again.")
    rehearsal.run("courier dlq edit --new-token ID", ID=letter)
    rehearsal.sent_once("contact-1", "contact-2")
    assert "TokenAlreadyUsed" not in rehearsal.run("courier dlq list --reason TokenAlreadyUsed")


def test_connect_may_have_forgotten_the_token(rehearse: Rehearse) -> None:
    rehearsal = rehearse("TokenTooOld")
    rehearsal.connect.draft("contact-1")
    old = iso(time.time() - 8 * DAY)
    token = rehearsal.put("contact-1", FirstTriedAt=old)
    rehearsal.run("courier dlq replay --force ID", ID=rehearsal.letter("TokenTooOld")["id"])
    rehearsal.sent_once("contact-1")
    until(lambda: "Sent at" in rehearsal.tried("courier trace TOKEN", TOKEN=token).stdout, "it is told")
    rehearsal.put("contact-2", FirstTriedAt=old)
    letter = rehearsal.letter("TokenTooOld")["id"]
    rehearsal.run('courier dlq discard ID --because "the customer has it"', ID=letter)
    rehearsal.sent_once("contact-1")


def test_connect_answers_something_else(rehearse: Rehearse) -> None:
    rehearsal = rehearse("Refused")
    rehearsal.connect.draft("contact-1")
    rehearsal.connect.fail("answer", status=418, error="TeapotException", message="I am a teapot")
    rehearsal.put("contact-1")
    letter = rehearsal.letter("Refused")["id"]
    assert "I am a teapot" in rehearsal.run("courier dlq show ID", ID=letter)
    rehearsal.run("courier dlq replay --reason Refused --canary 5")
    assert "Refused" not in rehearsal.run("courier dlq list --reason Refused")
    rehearsal.sent_once("contact-1")


def test_sqs_has_moved_a_letter(rehearse: Rehearse) -> None:
    """A thousand receives are not waited for: the letter is as SQS would leave it, without a reason."""
    rehearsal = rehearse("MovedBySqs")
    rehearsal.connect.draft("contact-1", "contact-2")
    rehearsal.operator.put(rehearsal.courier.dead_letter_queue_url, reply(ContactId="contact-1"))
    letter = rehearsal.letter("MovedBySqs")["id"]
    rehearsal.run("courier dlq show ID", ID=letter)
    rehearsal.run("courier dlq replay --reason MovedBySqs --canary 5")
    rehearsal.operator.put(rehearsal.courier.dead_letter_queue_url, reply(ContactId="contact-2"))
    edits(rehearsal, "again?", "again.")
    rehearsal.run("courier dlq edit ID", ID=rehearsal.letter("MovedBySqs")["id"])
    rehearsal.sent_once("contact-1", "contact-2")
    assert "MovedBySqs" not in rehearsal.run("courier dlq list --reason MovedBySqs")
