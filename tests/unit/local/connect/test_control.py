"""Control calls, under /_local/, and URLs that nothing answers."""

import json

import pytest

from local.connect.routes import answer_to
from tests.samples import INSTANCE_ID
from tests.unit.local.connect.lab import Lab, outcome


def test_a_reset_forgets_everything(lab: Lab) -> None:
    lab.control("PUT", "settings", {"repeat": "conflict"})
    lab.control("POST", "faults", {"fault": "hang"})
    lab.send("a", "t")
    lab.control("POST", "reset")

    assert lab.control("GET", "settings") == {
        "rate": 2,
        "burst": 5,
        "create_rate": 2,
        "create_burst": 5,
        "contact_rate": 10,
        "contact_burst": 15,
        "latency_ms": 0,
        "repeat": "same_contact",
        "used_draft": "refuse",
        "unknown_sender": "refuse",
        "refusals": "forget",
        "answers": {},
        "email_addresses": ["support@bicycles.example"],
        "repeated_create": "same_contact",
        "token_scope": "token",
        "checked_first": "token",
        "stop": "stop",
        "appear_seconds": 0,
        "capacity": 1000,
        "active_seconds": 0,
        "user_drafts": 20,
        "instance_id": INSTANCE_ID,
        "seed": 0,
    }
    assert lab.control("GET", "faults")["faults"] == []
    assert lab.control("GET", "calls")["calls"] == []
    assert lab.control("GET", "active")["peak_drafts"] == 0
    assert outcome(lab.send("a", "t"))[0] == 404, "the drafts are gone too"


@pytest.mark.parametrize(
    ("method", "call", "content", "said"),
    [
        ("PUT", "settings", [], "JSON object"),
        ("PUT", "settings", {"speed": 2}, "Unknown member 'speed'. Known members: rate"),
        ("PUT", "settings", {"rate": 0}, "rate cannot be 0. Send a number above 0"),
        ("PUT", "settings", {"rate": True}, "rate cannot be True"),
        ("PUT", "settings", {"rate": float("nan")}, "rate cannot be nan"),
        ("PUT", "settings", {"burst": 1.5}, "whole number"),
        ("PUT", "settings", {"repeat": "maybe"}, '"same_contact" or "conflict"'),
        ("PUT", "settings", {"used_draft": "keep"}, '"refuse" or "send"'),
        ("POST", "drafts", {"contact_ids": "a"}, "a list of contact ids"),
        ("POST", "faults", {"fault": "meteor"}, "one of access_denied, "),
        ("POST", "faults", {"times": 1}, "fault is missing"),
        ("POST", "faults", {"fault": "hang", "times": 0}, "1 or more, or null"),
        ("POST", "faults", {"fault": "hang", "probability": 1.1}, "from 0 to 1"),
        ("POST", "faults", {"fault": "hang", "operation": "Send"}, "one of StartOutboundEmailContact, CreateContact"),
        ("POST", "inbound", {"count": 0}, "1 or more"),
        ("GET", "calls?since=x", None, "since cannot be 'x'"),
        ("GET", "calls?operation=Send", None, "one of StartOutboundEmailContact, CreateContact"),
    ],
)
def test_the_answer_to_an_invalid_control_call_says_what_is_valid(
    lab: Lab, method: str, call: str, content: object, said: str
) -> None:
    before = lab.control("GET", "settings")

    answer = answer_to(lab.connect, method, f"/_local/{call}", json.dumps(content).encode())

    assert answer.status == 400
    assert said in json.loads(answer.body)["error"]
    assert lab.control("GET", "settings") == before
    assert lab.control("GET", "faults")["faults"] == []


def test_an_operation_that_is_not_emulated_gets_a_404(lab: Lab) -> None:
    assert outcome(answer_to(lab.connect, "POST", "/contact/email", b"{}")) == (404, "UnknownOperationException")
    assert answer_to(lab.connect, "POST", "/_local/nothing", b"{}").status == 404
    assert answer_to(lab.connect, "GET", "/nothing", b"").status == 404
    assert answer_to(lab.connect, "GET", "/_local/", b"").status == 404
