"""Instance id, quota, capacity, record, and what holds for every request."""

import contextlib
import json
import threading

from local.connect.routes import answer_to
from local.connect.service import EmulatedConnect
from tests.samples import INSTANCE_ID
from tests.unit.local.connect.lab import Lab, outcome


def test_an_instance_has_an_id_and_an_arn_and_any_other_is_unknown(lab: Lab) -> None:
    assert lab.send("a", InstanceId=f"arn:aws:connect:eu-west-2:123456789012:instance/{INSTANCE_ID}").status == 200
    assert outcome(lab.send("b", "u", InstanceId="another")) == (404, "ResourceNotFoundException")


def test_requests_above_the_quota_are_throttled_until_it_refills(lab: Lab) -> None:
    lab.control("PUT", "settings", {"rate": 2, "burst": 1})
    lab.send("a", "t")

    assert outcome(lab.send("b", "u")) == (429, "ThrottlingException")
    assert outcome(lab.send("a", "t")) == (429, "ThrottlingException")
    assert outcome(lab.send("", "")) == (429, "ThrottlingException")
    lab.now += 0.5
    assert lab.send("b", "u").status == 200


def test_refused_requests_use_the_quota_too(lab: Lab) -> None:
    lab.control("PUT", "settings", {"rate": 2, "burst": 1})

    assert outcome(lab.send("", "t"))[0] == 400
    assert outcome(lab.send("a", "t"))[0] == 429


def test_emails_above_the_capacity_are_refused_until_active_ones_end(lab: Lab) -> None:
    lab.control("PUT", "settings", {"capacity": 2, "active_seconds": 10})

    assert [outcome(lab.send(each, each))[0] for each in "abc"] == [200, 200, 402]
    assert outcome(lab.send("a", "a"))[0] == 200, "a repeat is no new email"
    lab.now += 10
    assert outcome(lab.send("c", "c"))[0] == 200


def test_by_default_no_email_counts_as_active(lab: Lab) -> None:
    lab.control("PUT", "settings", {"capacity": 1})

    assert [outcome(lab.send(each, each))[0] for each in "abc"] == [200, 200, 200]


def test_an_accepted_email_is_answered_with_its_contact_and_recorded(lab: Lab) -> None:
    answer = lab.send("a", "t")

    assert (answer.status, json.loads(answer.body)) == (200, {"ContactId": "a"})
    (call,) = lab.control("GET", "calls")["calls"]
    assert json.loads(call.pop("raw")) == call.pop("body")
    assert call == {
        "n": 1,
        "at": lab.now,
        "client_token": "t",
        "contact_id": "a",
        "instance_id": INSTANCE_ID,
        "status": 200,
        "error": None,
        "message": None,
        "accepted": True,
        "repeat": False,
        "request_id": answer.headers["x-amzn-RequestId"],
    }
    (sent,) = lab.control("GET", "sent")["sent"]
    assert (sent["n"], sent["at"], sent["request"]["ContactId"]) == (1, lab.now, "a")


def test_a_request_without_a_token_is_recorded_with_null(lab: Lab) -> None:
    assert lab.send("a", token=None).status == 200
    assert lab.control("GET", "calls")["calls"][0]["client_token"] is None


def test_clearing_the_record_keeps_the_memory_of_tokens_and_the_numbers(lab: Lab) -> None:
    lab.send("a", "t")
    lab.control("DELETE", "calls")
    lab.send("a", "t")

    assert [(c["n"], c["repeat"]) for c in lab.control("GET", "calls")["calls"]] == [(2, True)]
    assert lab.sent() == []


def test_the_record_keeps_the_bytes_of_a_body_that_is_not_utf8(lab: Lab) -> None:
    body = b'{"ContactId": "\xff"}'
    answer_to(lab.connect, "PUT", "/contact/outbound-email", body)

    (call,) = lab.control("GET", "calls")["calls"]
    assert (call["status"], call["body"], call["contact_id"]) == (400, None, None)
    assert call["raw"].encode(errors="surrogateescape") == body


def test_every_answer_has_the_latency(lab: Lab) -> None:
    lab.control("PUT", "settings", {"latency_ms": 150})

    assert [lab.send("a", "t").wait_seconds, lab.send("", "").wait_seconds, lab.create().wait_seconds] == [0.15] * 3


def test_requests_are_decided_one_at_a_time() -> None:
    two_at_once, overlaps = threading.Barrier(2, timeout=0.2), []

    def clock() -> float:
        with contextlib.suppress(threading.BrokenBarrierError):
            two_at_once.wait()
            overlaps.append("two requests read the clock at once")
        return 0.0

    connect = EmulatedConnect(clock, new_id=str)
    callers = [threading.Thread(target=connect.call, args=["StartOutboundEmailContact", b"{}"]) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert overlaps == []
