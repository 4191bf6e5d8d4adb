"""Which contacts can be sent, and for how long."""

import json

from tests.unit.local.connect.lab import HOUR, Lab, outcome


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
