"""`courier pause` in the middle of a surge: no call to Connect after it returned, and nothing lost by it."""

import json
from collections import Counter

import pytest

from bench.load import put
from courier.aws import STACK
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.sqs import counts_of
from local.system import LocalCourier
from local.waiting import until
from tests.operators import Operator
from tests.switching import switch_of

REPLIES = 60


def test_a_pause_in_mid_surge_stops_every_call_and_a_resume_sends_the_rest_once(
    courier: LocalCourier, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = ConnectControl(courier.connect_url)
    connect.settings(rate=2, burst=5)  # so that some are throttled, and wait for their backoff
    contacts = [f"contact-{n}" for n in range(REPLIES)]
    connect.draft(*contacts)
    put(courier.aws.sqs, courier.queue_url, contacts)
    until(lambda: len(connect.sent) > REPLIES // 6, "some are sent")
    switch = switch_of(courier, monkeypatch)

    sending = switch.pause(1_800_000_000)
    seconds = switch.longest_invocation()
    switch.wait_for_invocations(seconds)
    calls, left = len(connect.calls), REPLIES - len(connect.sent)
    assert (sending.mapping, sending.paused_by, seconds) == ("Disabled", "user/moto", courier.function.timeout)
    assert left > 0

    courier.aws.skip(6 * seconds)  # whatever an invocation had hidden, or a backoff, can be received again
    until(lambda: counts_of(courier.aws.sqs, courier.queue_url) == (left, 0), "nobody receives what can be received")
    operator = Operator(courier.aws, STACK, courier.queue_url, courier.dead_letter_queue_url, courier.payload_bucket)
    status = json.loads(operator.did("status", "--json"))
    assert status["paused"] == {"by": "user/moto", "at": sending.paused_at}
    assert status["gone_in_seconds"] is None
    assert len(connect.calls) == calls

    connect.settings(rate=1000, burst=1000)
    assert switch.resume().to_json() == {"mapping": "Enabled", "paused": None}
    wait_until_empty(courier)
    assert Counter(email["contact_id"] for email in connect.sent) == Counter(contacts)
    assert counts_of(courier.aws.sqs, courier.dead_letter_queue_url) == (0, 0)
