"""What is recorded of calls and emails."""

import json

from local.connect.routes import answer_to
from tests.unit.local.connect.lab import INSTANCE, Lab


def test_an_accepted_email_is_answered_with_its_contact_and_recorded_as_it_came(lab: Lab) -> None:
    answer = lab.send("a", "t")

    assert (answer.status, json.loads(answer.body)) == (200, {"ContactId": "a"})
    (call,) = lab.control("GET", "calls")["calls"]
    assert json.loads(call.pop("raw")) == call.pop("body")
    assert call == {
        "n": 1,
        "at": lab.now,
        "client_token": "t",
        "contact_id": "a",
        "instance_id": INSTANCE,
        "status": 200,
        "error": None,
        "message": None,
        "accepted": True,
        "repeat": False,
        "request_id": answer.headers["x-amzn-RequestId"],
    }
    (sent,) = lab.control("GET", "sent")["sent"]
    assert (sent["n"], sent["at"], sent["request"]["ContactId"]) == (1, lab.now, "a")


def test_a_request_without_a_token_is_taken_and_its_token_recorded_as_null(lab: Lab) -> None:
    assert lab.send("a", token=None).status == 200
    assert lab.control("GET", "calls")["calls"][0]["client_token"] is None


def test_clearing_the_record_keeps_the_memory_of_tokens_and_the_numbers(lab: Lab) -> None:
    lab.send("a", "t")
    lab.control("DELETE", "calls")
    lab.send("a", "t")

    assert [(c["n"], c["repeat"]) for c in lab.control("GET", "calls")["calls"]] == [(2, True)]
    assert lab.sent() == []


def test_a_body_that_is_not_utf8_is_recorded_so_that_its_bytes_can_be_had_back(lab: Lab) -> None:
    body = b'{"ContactId": "\xff"}'
    answer_to(lab.connect, "PUT", "/contact/outbound-email", body)

    (call,) = lab.control("GET", "calls")["calls"]
    assert (call["status"], call["body"], call["contact_id"]) == (400, None, None)
    assert call["raw"].encode(errors="surrogateescape") == body
