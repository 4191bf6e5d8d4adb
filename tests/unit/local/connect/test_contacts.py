"""Which contacts can be sent, for how long, and what their client tokens do."""

import json

from tests.unit.local.connect.lab import HOUR, Lab, outcome


def test_a_contact_that_was_sent_is_not_sent_again_under_another_token(lab: Lab) -> None:
    lab.send("a", "t")

    assert outcome(lab.send("a", "u")) == (400, "InvalidRequestException")
    assert outcome(lab.send("a", None)) == (400, "InvalidRequestException")


def test_with_used_draft_send_a_sent_contact_can_be_sent_again(lab: Lab) -> None:
    lab.control("PUT", "settings", {"used_draft": "send"})
    for token in ("t", "t", "u", None):
        assert lab.send("a", token).status == 200

    assert lab.sent() == [("a", "t"), ("a", "u"), ("a", None)]


def test_with_used_draft_send_a_contact_must_exist_and_not_have_expired(lab: Lab) -> None:
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


def test_drafts_can_be_added_with_an_expiry_and_removed(lab: Lab) -> None:
    lab.control("POST", "drafts", {"contact_ids": ["late"], "expires_in_seconds": 0})

    assert lab.control("DELETE", "drafts/a") == {"removed": True}
    assert lab.control("DELETE", "drafts/a") == {"removed": False}
    assert [outcome(lab.send(each, each))[0] for each in ("late", "a", "b")] == [404, 404, 200]


def test_create_contact_makes_a_draft_with_the_given_expiry(lab: Lab) -> None:
    short, default = (
        json.loads(lab.create(**changes).body)["ContactId"] for changes in ({"ExpiryDurationInMinutes": 1}, {})
    )
    lab.now += 60

    assert outcome(lab.send(short, "t"))[0] == 404
    assert outcome(lab.send(default, "u"))[0] == 200


def test_a_repeat_is_answered_with_the_same_contact_and_sends_nothing(lab: Lab) -> None:
    lab.send("a", "t")

    assert json.loads(lab.send("a", "t").body) == {"ContactId": "a"}
    assert lab.sent() == [("a", "t")]
    assert [(c["accepted"], c["repeat"]) for c in lab.control("GET", "calls")["calls"]] == [
        (True, False),
        (False, True),
    ]


def test_with_repeat_conflict_a_repeat_gets_a_409(lab: Lab) -> None:
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
