"""Every sample in events/ goes through the function as the case that its name says."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.connect.control_client import ConnectControl
from tests.aws.conftest import Courier

FOLDER = Path(__file__).parents[2] / "events"
DEAD_LETTERS = {
    "bad-50-cc": ["InvalidReply"],
    "bad-client-token": ["InvalidClientToken"],
    "bad-not-json": ["InvalidReply"],
    "bad-subject-line-break": ["InvalidReply"],
    "bad-unknown-member": ["InvalidReply"],
    "batch-one-bad": ["InvalidReply"],
    "unknown-contact": ["NotFound"],
    "unknown-sender": ["InvalidRequest"],
}
SENT = {"plain": 1, "html": 1, "template": 1, "cc": 1, "large": 1, "redriven": 1, "batch-one-bad": 2}


def contact_ids(event: dict[str, Any]) -> list[str]:
    found = []
    for record in event["Records"]:
        try:
            found.append(json.loads(record["body"])["ContactId"])
        except (ValueError, KeyError):
            continue
    return found


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.json")))
def test_the_sample_becomes_what_its_name_says(courier: Courier, connect: ConnectControl, name: str) -> None:
    event = json.loads((FOLDER / f"{name}.json").read_text())
    if name != "unknown-contact":
        connect.draft(*contact_ids(event))
    assert courier.invoke(event) == []
    assert len(connect.sent) == SENT.get(name, 0)
    assert [letter["Reason"] for letter in courier.dead_letters] == DEAD_LETTERS.get(name, [])


def test_the_redriven_sample_keeps_the_token_of_its_first_life(courier: Courier, connect: ConnectControl) -> None:
    event = json.loads((FOLDER / "redriven.json").read_text())
    (record,) = event["Records"]
    connect.draft(*contact_ids(event))
    courier.invoke(event)
    token = record["messageAttributes"]["ClientToken"]["stringValue"]
    assert token != record["messageId"]
    assert [call["client_token"] for call in connect.calls] == [token]
