"""Each reason of docs/runbook.md: a letter gets it, the section's own commands are run, and the letter is gone."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from contract.client_token import iso
from contract.message_attributes import string
from contract.payload import pointer_message
from local.drain import wait_until_empty
from local.waiting import until
from tests.samples import drafted, reply

if TYPE_CHECKING:
    from tests.system.rehearsal import Rehearse

DAY = 86_400
NOT_ALLOWED = "ada.lovelace@elsewhere.example"


def test_a_reply_breaks_the_contract(rehearse: Rehearse) -> None:
    rehearsal = rehearse("InvalidReply")
    rehearsal.connect.draft("contact-1")
    token = rehearsal.put("contact-1", reply(Subject="outside"))
    letter = rehearsal.letter("InvalidReply")["id"]
    assert "Subject" in rehearsal.run("courier dlq show ID", ID=letter)
    rehearsal.editor_writes(reply())
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
    rehearsal.editor_writes(reply())
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
    rehearsal.editor_replaces("{", "{")  # nothing
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
    rehearsal.editor_replaces("again?", "again.")
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
    rehearsal.editor_replaces("again?", "again.")
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


def test_an_earlier_attempt_may_have_been_accepted(rehearse: Rehearse) -> None:
    rehearsal = rehearse("MayHaveBeenSent")
    before_the_table = iso(time.time() - DAY)
    token = rehearsal.put("", drafted(), FirstTriedAt=before_the_table)
    letter = rehearsal.letter("MayHaveBeenSent")["id"]
    shown = " ".join(rehearsal.run("courier dlq show ID", ID=letter).split())
    assert "newer than this reply's first receive" in shown
    rehearsal.editor_replaces("again?", "again.")
    rehearsal.run("courier dlq edit --new-token ID", ID=letter)
    rehearsal.sent(1)
    rehearsal.tried("courier trace TOKEN", TOKEN=token)
    rehearsal.put("", drafted(), FirstTriedAt=before_the_table)
    letter = rehearsal.letter("MayHaveBeenSent")["id"]
    rehearsal.run('courier dlq discard ID --because "the customer has it"', ID=letter)
    rehearsal.sent(1)


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
    rehearsal.editor_replaces("again?", "again.")
    rehearsal.run("courier dlq edit ID", ID=rehearsal.letter("MovedBySqs")["id"])
    rehearsal.sent_once("contact-1", "contact-2")
    assert "MovedBySqs" not in rehearsal.run("courier dlq list --reason MovedBySqs")
