"""Repeats and conflicts of client tokens."""

import json

from tests.unit.local.connect.lab import HOUR, Lab, outcome


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
    lab.now += 7 * 24 * HOUR - 1
    assert lab.send("a", "t").status == 200

    lab.now += 1
    assert outcome(lab.send("a", "t")) == (400, "InvalidRequestException")


def test_create_contact_repeated_with_its_token_gives_the_same_contact(lab: Lab) -> None:
    first, again = lab.create(ClientToken="t"), lab.create(ClientToken="t")

    assert json.loads(first.body) == json.loads(again.body)
    assert outcome(lab.create(ClientToken="t", Name="other")) == (409, "IdempotencyException")
