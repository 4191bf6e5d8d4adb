"""A reply with CreateContact: what reaches Connect, the table and the queues, in each order that things can happen."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from handler.pacer import Pacer
from local.aws import ROOT
from local.waiting import until
from tests.aws.conftest import TABLE, Courier, new_drafts
from tests.fakes.function import FakeClock, changed
from tests.samples import FUNCTION_ENVIRONMENT, INSTANCE_ID, event, raw_message, record, reply

if TYPE_CHECKING:
    from local.aws import LocalAws
    from local.connect.control_client import ConnectControl
    from local.sqs_faults import Kind

DAY = 86_400


def drafted(text: str = "It is on its way.", **create_contact: Any) -> dict[str, Any]:
    """A reply whose draft the function makes."""
    return reply(ContactId=None, CreateContact=create_contact, EmailMessage=raw_message(Body=text))


def recent(body: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A record that was received first just now."""
    now = time.time()
    first: dict[str, Any] = {"sent_at": now - 2, "first_received_at": now, "message_id": "id-1"}
    return record(body or drafted(), **first | changes)


def made(connect: ConnectControl) -> list[str]:
    """The contacts that CreateContact made, whatever became of its answer."""
    return [call["contact_id"] for call in connect.calls_of("CreateContact") if call["accepted"]]


def live(connect: ConnectControl) -> list[str]:
    """Which of them are still drafts."""
    return [contact_id for contact_id in connect.drafts if not contact_id.startswith("contact-")]


def stopped(connect: ConnectControl) -> list[str]:
    return [call["contact_id"] for call in connect.calls_of("StopContact")]


def attempted(connect: ConnectControl) -> list[str]:
    return [call["contact_id"] for call in connect.calls]


def causes(courier: Courier) -> list[str]:
    """Why replies went back to the queue."""
    return [line["cause"] for line in courier.log if line["message"] == "reply_retried"]


def in_new_environment(courier: Courier, later: float = 0) -> None:
    """Replace the execution environment by another one, whose clock is some seconds ahead."""
    clock = FakeClock()
    pacer = Pacer(1000, 1, clock, clock.sleep)
    drafts = new_drafts(courier, pacer, lambda: time.time() + later)
    courier.app.delivery = changed(courier.app.delivery, pacer=pacer, drafts=lambda: drafts)


def test_a_reply_is_sent_once_with_a_draft_that_the_function_made(courier: Courier, connect: ConnectControl) -> None:
    message_id = courier.put(drafted(RelatedContactId="inbound-1", Attributes={"case": "7"}))

    assert courier.receive_and_invoke() == []

    (creation,), (attempt,) = connect.calls_of("CreateContact"), connect.calls
    own_token = creation["body"].pop("ClientToken")
    assert creation["body"] == {
        "InstanceId": INSTANCE_ID,
        "Channel": "EMAIL",
        "InitiationMethod": "FLOW",
        "RelatedContactId": "inbound-1",
        "Attributes": {"case": "7"},
        "ExpiryDurationInMinutes": 7 * 60,
    }
    body = reply(EmailMessage=raw_message(Body="It is on its way.")) | {"ContactId": creation["contact_id"]}
    assert attempt["body"] == {"InstanceId": INSTANCE_ID, "ClientToken": message_id, **body}
    assert own_token != message_id
    assert len(connect.sent) == 1
    assert live(connect) == []
    assert [line["message"] for line in courier.log] == ["draft_made", "reply_sent"]
    assert courier.metrics["DraftsMade"] == courier.metrics["RepliesSent"] == 1


def test_the_item_holds_the_draft_its_times_and_the_mark_of_the_delivery(
    courier: Courier, connect: ConnectControl
) -> None:
    message_id = courier.put(drafted())
    courier.receive_and_invoke()

    (item,) = courier.items
    made_at = int(item["MadeAt"])
    assert item["TokenHash"] == hashlib.sha256(message_id.encode()).hexdigest()
    assert [item["ContactId"]] == made(connect)
    assert abs(made_at - time.time()) < 60
    assert int(item["ExpiresAt"]) == made_at + 6 * 3600 + 45 * 60
    assert int(item["DeleteAt"]) == made_at + 57 * DAY
    assert [len(mark) for mark in item["Marks"]] == [32]
    assert len(item["ReplyHash"]) == 64
    assert len(item) == 7


@pytest.mark.parametrize("kind", ["refuse", "throttle", "gone"])
def test_no_attempt_is_made_without_a_mark_and_the_draft_is_stopped(
    courier: Courier, connect: ConnectControl, kind: Kind
) -> None:
    courier.faults.fail("UpdateItem", kind, times=1)

    assert courier.invoke(event(recent())) == ["id-1"]

    assert (attempted(connect), courier.items, live(connect)) == ([], [], [])
    assert stopped(connect) == made(connect)
    assert causes(courier) == ["TableUnavailable"]


@pytest.mark.parametrize("kind", ["error", "drop_before", "drop_after", "garbage_after", "late"])
def test_after_a_write_without_an_answer_the_draft_stays_for_the_next_receive(
    courier: Courier, connect: ConnectControl, kind: Kind
) -> None:
    courier.faults.fail("UpdateItem", kind, times=1, seconds=5)
    is_written = kind not in {"error", "drop_before"}

    assert courier.invoke(event(recent())) == ["id-1"]
    assert (attempted(connect), stopped(connect), len(courier.items)) == ([], [], is_written)
    in_new_environment(courier)
    assert courier.invoke(event(recent(receive_count=2))) == []

    assert len(connect.sent) == 1
    assert attempted(connect) == [made(connect)[-1]] == [courier.items[0]["ContactId"]]
    assert len(made(connect)) == (1 if is_written else 2)


def test_a_refused_replys_draft_is_stopped_and_its_mark_removed(courier: Courier, connect: ConnectControl) -> None:
    connect.fail("answer", status=413, error="RequestEntityTooLarge", message="no")

    assert courier.invoke(event(recent())) == []

    (item,), (letter,) = courier.items, courier.dead_letters
    assert "Marks" not in item
    assert item["ExpiresAt"] == "0"
    assert stopped(connect) == made(connect) == [item["ContactId"]]
    assert (letter["Reason"], letter["MessageId"]) == ("Refused", "id-1")
    assert [line["message"] for line in courier.log] == ["draft_made", "draft_stopped", "reply_dead_lettered"]


def test_a_refused_reply_that_comes_back_with_another_text_gets_another_draft(
    courier: Courier, connect: ConnectControl
) -> None:
    connect.fail("answer", status=413, error="RequestEntityTooLarge", message="no")
    courier.invoke(event(recent(ClientToken="t")))
    edited = recent(drafted("Edited"), message_id="id-2", ClientToken="t")

    assert courier.invoke(event(edited)) == []

    first, second = made(connect)
    assert attempted(connect) == [first, second]
    assert [email["client_token"] for email in connect.sent] == ["t"]
    assert courier.items[0]["ContactId"] == second


def test_a_reply_that_may_have_been_sent_is_not_sent_with_another_text(
    courier: Courier, connect: ConnectControl
) -> None:
    courier.invoke(event(recent(ClientToken="t")))

    assert courier.invoke(event(recent(drafted("Edited"), message_id="id-2", ClientToken="t"))) == []

    (letter,) = courier.dead_letters
    assert letter["Reason"] == "MayHaveBeenSent"
    assert made(connect)[0] in letter["Detail"]
    assert len(connect.calls) == len(made(connect)) == 1


def test_a_message_with_contact_id_never_touches_the_table_or_loads_what_drafts_need(
    courier: Courier, connect: ConnectControl, aws: LocalAws
) -> None:
    for operation in ("GetItem", "UpdateItem", "DescribeTable"):
        courier.faults.fail(operation, "error")
    program = """
import json, sys
from handler.app import lambda_handler
class Context:
    function_name, memory_limit_in_mb, aws_request_id = "f", 256, "r"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:f"
    get_remaining_time_in_millis = staticmethod(lambda: 600_000)
print(lambda_handler(json.load(sys.stdin), Context()))
print(sorted({"handler.drafts", "handler.services.contacts", "handler.services.table"} & sys.modules.keys()))
"""
    environment = {
        **os.environ,
        **FUNCTION_ENVIRONMENT,
        **aws.program_environment,
        "AWS_ENDPOINT_URL_CONNECT": connect.url,
        "AWS_ENDPOINT_URL_DYNAMODB": courier.faults.url,
        "DRAFT_TABLE": TABLE,
        "QUEUE_URL": courier.queue_url,
        "DEAD_LETTER_QUEUE_URL": courier.dead_letter_queue_url,
    }
    records = [recent(reply(), message_id="sent"), recent(reply(ContactId="nobody's"), message_id="refused")]
    before = courier.faults.struck

    run = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(event(*records)),
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert run.stdout.splitlines()[-2:] == ["{'batchItemFailures': []}", "[]"]
    assert [email["client_token"] for email in connect.sent] == ["sent"]
    assert [letter["MessageId"] for letter in courier.dead_letters] == ["refused"]
    assert courier.faults.struck == before
    assert connect.calls_of("CreateContact") == connect.calls_of("DescribeContact") == []


def test_the_group_of_a_fair_queue_stays_with_a_refused_reply(courier: Courier, connect: ConnectControl) -> None:
    connect.fail("answer", status=413, error="RequestEntityTooLarge", message="no")
    grouped = recent()
    grouped["attributes"]["MessageGroupId"] = "tenant-1"
    courier.invoke(event(grouped))

    (letter,) = courier.sqs.receive_message(
        QueueUrl=courier.dead_letter_queue_url, MessageSystemAttributeNames=["All"]
    )["Messages"]
    assert letter["Attributes"]["MessageGroupId"] == "tenant-1"


def test_no_draft_is_made_for_a_recipient_that_is_not_allowed(courier: Courier, connect: ConnectControl) -> None:
    guarded = replace(courier.app.settings, allowed_recipients=("*@elsewhere.example",))
    courier.app.delivery = changed(courier.app.delivery, settings=guarded)
    try:
        assert courier.invoke(event(recent())) == []
    finally:
        courier.app.delivery = changed(courier.app.delivery, settings=courier.app.settings)

    assert (made(connect), courier.items) == ([], [])
    assert [letter["Reason"] for letter in courier.dead_letters] == ["RecipientNotAllowed"]


# Lost answers


def test_a_lost_answer_of_create_contact_leaves_one_draft_and_holds_new_ones(
    courier: Courier, connect: ConnectControl
) -> None:
    connect.fail("drop_after", operation="CreateContact")

    assert courier.invoke(event(recent())) == ["id-1"]
    assert courier.invoke(event(recent(receive_count=2))) == ["id-1"]
    assert causes(courier) == ["Unavailable", "DraftsHeld"]
    in_new_environment(courier)
    assert courier.invoke(event(recent(receive_count=3))) == []

    lost, used = made(connect)
    assert (attempted(connect), live(connect)) == ([used], [lost])
    assert len(connect.sent) == 1


@pytest.mark.parametrize("checked_first", ["token", "contact"])
@pytest.mark.parametrize("scope", ["token", "token_and_contact"])
@pytest.mark.parametrize("repeat", ["same_contact", "conflict"])
def test_a_lost_answer_of_the_send_ends_in_one_email_whatever_connect_does_then(
    courier: Courier, connect: ConnectControl, repeat: str, scope: str, checked_first: str
) -> None:
    connect.settings(repeat=repeat, token_scope=scope, checked_first=checked_first)
    connect.fail("garbage_after")
    connect.fail("drop_before")  # so that the reply is received again

    assert courier.invoke(event(recent())) == ["id-1"]
    assert courier.invoke(event(recent(receive_count=2))) == []

    assert len(connect.sent) == len(made(connect)) == 1
    assert set(attempted(connect)) == {courier.items[0]["ContactId"]}
    assert stopped(connect) == []
    letters = courier.dead_letters
    # If Connect refuses a sent contact before it looks at the token, a person has to look.
    assert len(letters) == (checked_first == "contact")
    assert all("may have been sent" in letter["Detail"] for letter in letters)


def test_without_its_read_no_call_is_made_and_one_read_is_repeated(courier: Courier, connect: ConnectControl) -> None:
    courier.faults.fail("GetItem", "error", times=2)
    assert courier.invoke(event(recent())) == ["id-1"]
    assert (made(connect), attempted(connect)) == ([], [])

    courier.faults.fail("GetItem", "garbage_after", times=1)
    assert courier.invoke(event(recent())) == []
    assert len(connect.sent) == 1


def test_a_draft_that_was_surely_not_sent_is_used_again_and_stopped_once_it_is_refused(
    courier: Courier, connect: ConnectControl
) -> None:
    connect.fail("access_denied")
    connect.fail("answer", status=413, error="RequestEntityTooLarge", message="no")
    assert courier.invoke(event(recent())) == ["id-1"]
    assert "Marks" not in courier.items[0]
    assert (stopped(connect), len(live(connect))) == ([], 1)

    in_new_environment(courier)
    assert courier.invoke(event(recent(receive_count=2))) == []

    assert attempted(connect) == made(connect) * 2
    assert (stopped(connect), live(connect)) == (made(connect), [])


# A reply that comes again


def test_a_reply_that_was_received_before_the_table_was_made_is_left_to_a_person(
    courier: Courier, connect: ConnectControl
) -> None:
    old = recent(receive_count=2, first_received_at=time.time() - 3600)

    assert courier.invoke(event(old)) == []

    (letter,) = courier.dead_letters
    assert letter["Reason"] == "MayHaveBeenSent"
    assert (made(connect), attempted(connect)) == ([], [])


def test_without_the_tables_age_a_reply_that_comes_again_waits(courier: Courier, connect: ConnectControl) -> None:
    courier.faults.fail("DescribeTable", "refuse", times=1)

    assert courier.invoke(event(recent(receive_count=2))) == ["id-1"]
    assert (causes(courier), made(connect)) == (["TableUnavailable"], [])
    assert courier.invoke(event(recent(receive_count=3))) == []
    assert len(connect.sent) == 1


def test_a_draft_that_expired_before_any_attempt_is_replaced(courier: Courier, connect: ConnectControl) -> None:
    connect.fail("access_denied")
    assert courier.invoke(event(recent())) == ["id-1"]
    (first,) = made(connect)
    connect.draft(first, expires_in_seconds=0)

    in_new_environment(courier, later=7 * 3600)
    assert courier.invoke(event(recent(receive_count=2))) == []

    assert attempted(connect) == made(connect)
    assert [email["contact_id"] for email in connect.sent] == [made(connect)[1]] == [courier.items[0]["ContactId"]]


def test_a_draft_that_expired_after_a_doubtful_attempt_is_left_to_a_person(
    courier: Courier, connect: ConnectControl
) -> None:
    connect.fail("drop_before", times=2)
    assert courier.invoke(event(recent())) == ["id-1"]
    (contact_id,) = made(connect)
    connect.draft(contact_id, expires_in_seconds=0)

    in_new_environment(courier, later=600)
    assert courier.invoke(event(recent(receive_count=2))) == []

    (letter,) = courier.dead_letters
    assert letter["Reason"] == "NotFound"
    assert f"Contact: {contact_id}" in letter["Detail"]
    assert "may have been sent" in letter["Detail"]
    assert (made(connect), connect.sent) == ([contact_id], [])
    assert len(courier.items[0]["Marks"]) == 1, "the mark of the doubtful attempt"


def test_a_contact_that_appears_late_is_attempted_again_with_the_same_draft(
    courier: Courier, connect: ConnectControl
) -> None:
    connect.settings(appear_seconds=0.5)
    assert courier.invoke(event(recent())) == ["id-1"]
    assert causes(courier) == ["ContactNotYetKnown"]
    assert len(live(connect)) == 1

    until(lambda: courier.invoke(event(recent(receive_count=2))) == [], "the contact has appeared", every=0.2)

    assert (len(made(connect)), len(connect.sent), stopped(connect)) == (1, 1, [])


def test_a_new_contact_that_connect_finds_is_attempted_once_more_at_once(
    courier: Courier, connect: ConnectControl
) -> None:
    connect.fail("not_found")
    assert courier.invoke(event(recent(message_id="id-1"))) == []
    connect.fail("not_found", times=2)
    assert courier.invoke(event(recent(message_id="id-2"))) == []

    assert [email["client_token"] for email in connect.sent] == ["id-1"]
    assert [letter["MessageId"] for letter in courier.dead_letters] == ["id-2"]
    assert len(connect.calls_of("DescribeContact")) == 2
    assert stopped(connect) == made(connect)[1:]


# Two deliveries at once


def deliver_twice(courier: Courier, connect: ConnectControl, operation: str) -> list[list[str]]:
    """Deliver a message in two environments: while one of them waits for an answer, the other one delivers, too."""
    connect.fail("hang_after", operation=operation, seconds=2)
    deliveries = []
    for _ in range(2):
        in_new_environment(courier)
        deliveries.append(courier.app.delivery)

    def deliver(delivery: Any) -> list[str]:
        answer = delivery.deliver_all([recent()], lambda: 600.0)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    with ThreadPoolExecutor(1) as other_thread:
        waiting = other_thread.submit(deliver, deliveries[0])
        until(lambda: connect.calls_of(operation), "the first delivery waits")
        results = [deliver(deliveries[1]), waiting.result()]
    courier.app.metrics.clear_metrics()  # which an invocation would have written
    return sorted(results)


def test_of_two_deliveries_that_make_a_draft_one_stops_its_own_and_waits(
    courier: Courier, connect: ConnectControl
) -> None:
    assert deliver_twice(courier, connect, "CreateContact") == [[], ["id-1"]]

    assert len(connect.sent) == len(connect.calls) == 1
    assert sorted([*stopped(connect), courier.items[0]["ContactId"]]) == sorted(made(connect))
    assert (len(made(connect)), live(connect)) == (2, [])


@pytest.mark.parametrize("repeat", ["same_contact", "conflict"])
def test_two_deliveries_of_one_draft_attempt_the_same_contact(
    courier: Courier, connect: ConnectControl, repeat: str
) -> None:
    connect.settings(repeat=repeat)

    assert deliver_twice(courier, connect, "StartOutboundEmailContact") == [[], []]

    assert len(connect.sent) == len(made(connect)) == 1
    assert attempted(connect) == made(connect) * 2
    assert len(courier.items[0]["Marks"]) == 2


# CreateContact's and StopContact's other answers


@pytest.mark.parametrize(("fault", "cause"), [("throttle", "Throttled"), ("quota_exceeded", "ActiveEmailsFull")])
def test_what_would_meet_every_new_draft_is_waited_for_in_the_same_receive(
    courier: Courier, connect: ConnectControl, fault: str, cause: str
) -> None:
    connect.fail(fault, operation="CreateContact", times=2)

    assert courier.invoke(event(recent())) == []

    assert [line.get("cause") for line in courier.log] == [cause, cause, None, None]
    assert (len(connect.sent), len(made(connect))) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [("internal_error", "Unavailable"), ("conflict", "Unavailable"), ("access_denied", "AccessDenied")],
)
def test_another_failure_of_create_contact_is_retried_in_another_receive(
    courier: Courier, connect: ConnectControl, fault: str, cause: str
) -> None:
    connect.fail(fault, operation="CreateContact")

    assert courier.invoke(event(recent())) == ["id-1"]

    assert causes(courier) == [cause]
    assert (len(connect.calls_of("CreateContact")), connect.calls, courier.items) == (1, [], [])


def test_a_user_with_too_many_drafts_delays_only_that_users_replies(courier: Courier, connect: ConnectControl) -> None:
    connect.settings(user_drafts=0)
    for_user = drafted(InitiationMethod="OUTBOUND", UserInfo={"UserId": "agent"})

    assert courier.invoke(event(recent(for_user), recent(message_id="id-2"))) == ["id-1"]

    assert causes(courier) == ["UserFull"]
    assert [email["client_token"] for email in connect.sent] == ["id-2"]


def test_a_refused_create_contact_is_dead_lettered_unless_its_related_contact_is_new(
    courier: Courier, connect: ConnectControl
) -> None:
    connect.fail("not_found", operation="CreateContact", times=3)
    answer = drafted(RelatedContactId="inbound-1")
    old = time.time() - 600

    assert courier.invoke(event(recent(answer, message_id="new"))) == ["new"]
    assert courier.invoke(event(recent(answer, message_id="old", sent_at=old))) == []
    assert courier.invoke(event(recent(message_id="without"))) == []

    letters = courier.dead_letters
    assert [(letter["MessageId"], letter["Reason"]) for letter in letters] == [
        ("old", "NotFound"),
        ("without", "NotFound"),
    ]
    assert all(letter["Detail"].startswith("CreateContact:") for letter in letters)


@pytest.mark.parametrize("answer", ["refuse", "ignore"])
def test_a_draft_that_stop_contact_leaves_alive_keeps_no_letter_back(
    courier: Courier, connect: ConnectControl, answer: str
) -> None:
    connect.settings(stop=answer)
    connect.fail("answer", status=413, error="RequestEntityTooLarge", message="no")

    assert courier.invoke(event(recent())) == []

    assert live(connect) == made(connect)
    assert len(courier.dead_letters) == 1
    assert courier.log[1]["message"] == ("draft_not_stopped" if answer == "refuse" else "draft_stopped")
