import json
from typing import Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from local.moto.mapping_states import POLLERS_PATH, MappingStates


def report(states: MappingStates, poller: str, polls: Any) -> int:
    body = json.dumps({"mapping": "m", "poller": poller, "polls": polls})
    return Client(states).post(POLLERS_PATH, data=body).status_code


def test_a_mapping_without_a_poller_changes_its_state_at_once() -> None:
    states = MappingStates(Response("not ours"))
    assert [states.state("m", enabled=enabled) for enabled in (True, False)] == ["Enabled", "Disabled"]


def test_a_mapping_changes_its_state_once_every_poller_has_followed() -> None:
    states = MappingStates(Response("not ours"))
    assert report(states, "one", True) == report(states, "two", True) == 200
    assert states.state("m", enabled=True) == "Enabled"
    assert states.state("m", enabled=False) == "Disabling"
    report(states, "one", False)
    assert states.state("m", enabled=False) == "Disabling"
    report(states, "two", None)
    assert states.state("m", enabled=False) == "Disabled"
    assert states.state("m", enabled=True) == "Enabling"
    assert states.state("another", enabled=True) == "Enabled"


@pytest.mark.parametrize("body", ["", "{", "[]", '{"mapping": "m", "poller": "p"}', '{"mapping": "m", "polls": true}'])
def test_an_invalid_report_is_refused(body: str) -> None:
    answer = Client(MappingStates(Response("not ours"))).post(POLLERS_PATH, data=body)
    assert (answer.status_code, "polls" in answer.text) == (400, True)
