"""What an emulated Connect decides, driven through its routes with a clock that stands still unless it is moved."""

import contextlib
import json
import threading
from typing import Any

import pytest

from local.connect.answer import Answer
from local.connect.routes import answer_to
from local.connect.service import EmulatedConnect

INSTANCE = "11111111-2222-3333-4444-555555555555"
HOUR = 3600.0
DAY = 24 * HOUR


class Lab:
    """An emulated Connect with drafts a, b, c, a quota that is out of the way, and a clock."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.ids = 0
        self.connect = EmulatedConnect(clock=lambda: self.now, new_id=self.new_id)
        self.control("PUT", "settings", {"rate": 1000, "burst": 1000})
        self.control("POST", "drafts", {"contact_ids": ["a", "b", "c"]})

    def new_id(self) -> str:
        self.ids += 1
        return f"id-{self.ids}"

    def control(self, method: str, call: str, content: object = None) -> Any:
        answer = answer_to(self.connect, method, f"/_local/{call}", json.dumps(content).encode())
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def send(self, contact_id: str = "a", token: str | None = "t", **changes: Any) -> Answer:
        request = {
            "InstanceId": INSTANCE,
            "ContactId": contact_id,
            "DestinationEmailAddress": {"EmailAddress": "anna@example.com"},
            "EmailMessage": {
                "MessageSourceType": "RAW",
                "RawMessage": {"Subject": "s", "Body": "b", "ContentType": "text/plain"},
            },
            "ClientToken": token,
            **changes,
        }
        body = {name: value for name, value in request.items() if value is not None}
        return answer_to(self.connect, "PUT", "/contact/outbound-email", json.dumps(body).encode())

    def create(self, **changes: Any) -> Answer:
        request = {"InstanceId": INSTANCE, "Channel": "EMAIL", "InitiationMethod": "FLOW", **changes}
        return answer_to(self.connect, "PUT", "/contact/create-contact", json.dumps(request).encode())

    def sent(self) -> list[tuple[str, str | None]]:
        return [(each["contact_id"], each["client_token"]) for each in self.control("GET", "sent")["sent"]]


@pytest.fixture
def lab() -> Lab:
    return Lab()


def outcome(answer: Answer) -> tuple[int | None, str | None]:
    return answer.status, answer.error


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
        "accepted": True,
        "repeat": False,
        "request_id": answer.headers["x-amzn-RequestId"],
    }
    (sent,) = lab.control("GET", "sent")["sent"]
    assert (sent["n"], sent["at"], sent["request"]["ContactId"]) == (1, lab.now, "a")


def test_a_request_without_a_token_is_taken_and_its_token_recorded_as_null(lab: Lab) -> None:
    assert lab.send("a", token=None).status == 200
    assert lab.control("GET", "calls")["calls"][0]["client_token"] is None


def test_the_instance_may_be_named_by_its_arn_and_any_other_is_unknown(lab: Lab) -> None:
    assert lab.send("a", InstanceId=f"arn:aws:connect:eu-west-2:123456789012:instance/{INSTANCE}").status == 200
    assert outcome(lab.send("b", "u", InstanceId="another")) == (404, "ResourceNotFoundException")


# Client tokens


def test_a_repeat_is_answered_with_the_same_contact_and_sends_nothing(lab: Lab) -> None:
    lab.send("a", "t")

    assert json.loads(lab.send("a", "t").body) == {"ContactId": "a"}
    assert lab.sent() == [("a", "t")]
    assert [(c["accepted"], c["repeat"]) for c in lab.control("GET", "calls")["calls"]] == [
        (True, False),
        (False, True),
    ]


def test_a_repeat_can_be_made_a_conflict(lab: Lab) -> None:
    lab.control("PUT", "settings", {"repeat": "conflict"})
    lab.send("a", "t")

    assert outcome(lab.send("a", "t")) == (409, "IdempotencyException")
    assert lab.sent() == [("a", "t")]
    assert lab.control("GET", "calls?since=1")["calls"][0]["repeat"] is True


def test_a_token_that_comes_with_another_request_is_a_conflict(lab: Lab) -> None:
    lab.send("a", "t")

    assert outcome(lab.send("b", "t")) == (409, "IdempotencyException")
    assert outcome(lab.send("a", "t", FromEmailAddress={"EmailAddress": "x@example.com"})) == (
        409,
        "IdempotencyException",
    )
    assert lab.sent() == [("a", "t")]


def test_a_refused_request_leaves_its_token_free(lab: Lab) -> None:
    lab.send("unknown", "t")

    assert lab.send("a", "t").status == 200


def test_a_token_is_remembered_for_seven_days(lab: Lab) -> None:
    lab.send("a", "t")
    lab.now += 7 * DAY - 1
    assert lab.send("a", "t").status == 200

    lab.now += 1
    assert outcome(lab.send("a", "t")) == (400, "InvalidRequestException")


# Drafts


def test_a_contact_that_was_sent_is_not_sent_again_under_another_token(lab: Lab) -> None:
    lab.send("a", "t")

    assert outcome(lab.send("a", "u")) == (400, "InvalidRequestException")
    assert outcome(lab.send("a", None)) == (400, "InvalidRequestException")


def test_a_contact_that_was_sent_can_be_made_to_go_out_again_under_another_token(lab: Lab) -> None:
    lab.control("PUT", "settings", {"used_draft": "send"})
    for token in ("t", "t", "u", None):
        assert lab.send("a", token).status == 200

    assert lab.sent() == [("a", "t"), ("a", "u"), ("a", None)]


def test_sending_again_needs_a_draft_that_is_there_and_alive(lab: Lab) -> None:
    lab.control("PUT", "settings", {"used_draft": "send"})
    lab.send("a", "t")
    lab.now += 12 * HOUR

    assert outcome(lab.send("a", "u")) == (404, "ResourceNotFoundException")
    assert outcome(lab.send("unknown", "v")) == (404, "ResourceNotFoundException")


def test_a_draft_expires_after_twelve_hours(lab: Lab) -> None:
    lab.now += 12 * HOUR - 1
    assert lab.send("a", "t").status == 200

    lab.now += 1
    assert outcome(lab.send("b", "u")) == (404, "ResourceNotFoundException")


def test_drafts_can_be_seeded_with_a_life_and_removed(lab: Lab) -> None:
    lab.control("POST", "drafts", {"contact_ids": ["late"], "expires_in_seconds": 0})

    assert lab.control("DELETE", "drafts/a") == {"removed": True}
    assert lab.control("DELETE", "drafts/a") == {"removed": False}
    assert [outcome(lab.send(each, each))[0] for each in ("late", "a", "b")] == [404, 404, 200]


def test_create_contact_makes_a_draft_for_as_long_as_it_says(lab: Lab) -> None:
    short, default = (
        json.loads(lab.create(**changes).body)["ContactId"] for changes in ({"ExpiryDurationInMinutes": 1}, {})
    )
    lab.now += 60

    assert outcome(lab.send(short, "t"))[0] == 404
    assert outcome(lab.send(default, "u"))[0] == 200


def test_create_contact_repeated_with_its_token_gives_the_same_contact(lab: Lab) -> None:
    first, again = lab.create(ClientToken="t"), lab.create(ClientToken="t")

    assert json.loads(first.body) == json.loads(again.body)
    assert outcome(lab.create(ClientToken="t", Name="other")) == (409, "IdempotencyException")


# Quota and capacity


def test_above_the_quota_requests_are_throttled_whatever_they_are_and_time_brings_it_back(lab: Lab) -> None:
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


def test_latency_is_asked_for_on_every_answer(lab: Lab) -> None:
    lab.control("PUT", "settings", {"latency_ms": 150})

    assert [lab.send("a", "t").wait_seconds, lab.send("", "").wait_seconds, lab.create().wait_seconds] == [0.15] * 3


# Faults


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        ("throttle", 429, "ThrottlingException"),
        ("too_many_requests", 429, "TooManyRequestsException"),
        ("internal_error", 500, "InternalServiceException"),
        ("unavailable", 503, None),
        ("access_denied", 403, "AccessDeniedException"),
        ("expired_token", 403, "ExpiredTokenException"),
        ("quota_exceeded", 402, "ServiceQuotaExceededException"),
        ("attachment_not_approved", 400, "InvalidRequestException"),
        ("invalid_request", 400, "InvalidRequestException"),
        ("not_found", 404, "ResourceNotFoundException"),
        ("conflict", 409, "IdempotencyException"),
        ("drop_before", None, None),
        ("hang", None, None),
        ("garbage", 200, None),
    ],
)
def test_a_fault_before_acceptance_answers_once_and_sends_nothing(
    lab: Lab, name: str, status: int | None, error: str | None
) -> None:
    lab.control("POST", "faults", {"fault": name})

    assert outcome(lab.send("a", "t")) == (status, error)
    assert lab.sent() == []
    (call,) = lab.control("GET", "calls")["calls"]
    assert (call["status"], call["error"], call["accepted"]) == (status, error, False)
    assert lab.send("a", "t").status == 200
    assert lab.sent() == [("a", "t")]


@pytest.mark.parametrize(("name", "status"), [("drop_after", None), ("hang_after", 200), ("garbage_after", 200)])
def test_a_fault_after_acceptance_spoils_the_answer_to_an_email_that_is_sent(
    lab: Lab, name: str, status: int | None
) -> None:
    lab.control("POST", "faults", {"fault": name, "seconds": 7})

    answer = lab.send("a", "t")

    assert (answer.status, answer.wait_seconds) == (status, 7 if name == "hang_after" else 0)
    assert lab.sent() == [("a", "t")]
    assert lab.control("GET", "calls")["calls"][0]["accepted"] is True
    assert json.loads(lab.send("a", "t").body) == {"ContactId": "a"}


def test_a_fault_after_acceptance_waits_for_a_request_that_is_accepted(lab: Lab) -> None:
    lab.control("POST", "faults", {"fault": "drop_after"})

    assert lab.send("unknown", "t").status == 404
    assert lab.send("a", "t").status is None


def test_faults_strike_the_contact_or_the_token_they_are_for_as_often_as_they_say(lab: Lab) -> None:
    lab.control(
        "POST",
        "faults",
        [
            {"fault": "conflict", "contact_id": "a", "times": 2},
            {"fault": "throttle", "client_token": "u", "times": None},
        ],
    )

    assert [lab.send("a", "t").status for _ in range(3)] == [409, 409, 200]
    assert [lab.send("b", "u").status for _ in range(3)] == [429, 429, 429]
    assert [fault["fault"] for fault in lab.control("GET", "faults")["faults"]] == ["throttle"]
    lab.control("DELETE", "faults")
    assert lab.send("b", "u").status == 200


def test_an_answer_of_any_kind_can_be_ordered(lab: Lab) -> None:
    lab.control("POST", "faults", {"fault": "answer", "status": 418, "error": "Teapot", "message": "short and stout"})

    answer = lab.send()

    assert outcome(answer) == (418, "Teapot")
    assert json.loads(answer.body) == {"Message": "short and stout"}


def test_probable_faults_are_drawn_the_same_for_the_same_seed(lab: Lab) -> None:
    def run() -> list[int | None]:
        lab.control("PUT", "settings", {"seed": 7})
        return [lab.send("unknown", "t").status for _ in range(50)]

    lab.control("POST", "faults", {"fault": "throttle", "probability": 0.5, "times": None})

    first = run()
    assert run() == first
    assert set(first) == {429, 404}


# Record and control calls


def test_requests_are_decided_one_at_a_time() -> None:
    two_at_once, overlaps = threading.Barrier(2, timeout=0.2), []

    def clock() -> float:
        with contextlib.suppress(threading.BrokenBarrierError):
            two_at_once.wait()
            overlaps.append("two requests read the clock at once")
        return 0.0

    connect = EmulatedConnect(clock, new_id=str)
    callers = [threading.Thread(target=connect.start_outbound_email_contact, args=[b"{}"]) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert overlaps == []


def test_clearing_the_record_keeps_the_memory_of_tokens_and_the_numbers(lab: Lab) -> None:
    lab.send("a", "t")
    lab.control("DELETE", "calls")
    lab.send("a", "t")

    assert [(c["n"], c["repeat"]) for c in lab.control("GET", "calls")["calls"]] == [(2, True)]
    assert lab.sent() == []


def test_a_reset_forgets_everything(lab: Lab) -> None:
    lab.control("PUT", "settings", {"repeat": "conflict"})
    lab.control("POST", "faults", {"fault": "hang"})
    lab.send("a", "t")
    lab.control("POST", "reset")

    assert lab.control("GET", "settings") == {
        "rate": 2,
        "burst": 5,
        "latency_ms": 0,
        "repeat": "same_contact",
        "used_draft": "refuse",
        "capacity": 1000,
        "active_seconds": 0,
        "instance_id": INSTANCE,
        "seed": 0,
    }
    assert lab.control("GET", "faults")["faults"] == []
    assert lab.control("GET", "calls")["calls"] == []
    assert outcome(lab.send("a", "t"))[0] == 404, "the drafts are gone too"


def test_a_body_that_is_not_utf8_is_recorded_so_that_its_bytes_can_be_had_back(lab: Lab) -> None:
    body = b'{"ContactId": "\xff"}'
    answer_to(lab.connect, "PUT", "/contact/outbound-email", body)

    (call,) = lab.control("GET", "calls")["calls"]
    assert (call["status"], call["body"], call["contact_id"]) == (400, None, None)
    assert call["raw"].encode(errors="surrogateescape") == body


@pytest.mark.parametrize(
    ("method", "call", "content", "said"),
    [
        ("PUT", "settings", [], "JSON object"),
        ("PUT", "settings", {"speed": 2}, "'speed' is not known. There are: rate"),
        ("PUT", "settings", {"rate": 0}, "rate cannot be 0. It is a number above 0"),
        ("PUT", "settings", {"rate": True}, "rate cannot be True"),
        ("PUT", "settings", {"rate": float("nan")}, "rate cannot be nan"),
        ("PUT", "settings", {"burst": 1.5}, "whole number"),
        ("PUT", "settings", {"repeat": "maybe"}, '"same_contact" or "conflict"'),
        ("PUT", "settings", {"used_draft": "keep"}, '"refuse" or "send"'),
        ("POST", "drafts", {"contact_ids": "a"}, "a list of contact ids"),
        ("POST", "faults", {"fault": "meteor"}, "one of access_denied, "),
        ("POST", "faults", {"times": 1}, "Say which fault"),
        ("POST", "faults", {"fault": "hang", "times": 0}, "from 1, or null"),
        ("POST", "faults", {"fault": "hang", "probability": 1.1}, "from 0 to 1"),
        ("GET", "calls?since=x", None, "since cannot be 'x'"),
    ],
)
def test_a_control_call_that_makes_no_sense_says_what_would(
    lab: Lab, method: str, call: str, content: object, said: str
) -> None:
    before = lab.control("GET", "settings")

    answer = answer_to(lab.connect, method, f"/_local/{call}", json.dumps(content).encode())

    assert answer.status == 400
    assert said in json.loads(answer.body)["error"]
    assert lab.control("GET", "settings") == before
    assert lab.control("GET", "faults")["faults"] == []


def test_what_is_not_emulated_is_answered_so(lab: Lab) -> None:
    assert outcome(answer_to(lab.connect, "POST", "/contact/email", b"{}")) == (404, "UnknownOperationException")
    assert answer_to(lab.connect, "POST", "/_local/nothing", b"{}").status == 404
    assert answer_to(lab.connect, "GET", "/nothing", b"").status == 404
    assert answer_to(lab.connect, "GET", "/_local/", b"").status == 404
