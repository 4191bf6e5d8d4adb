"""`courier pause` in the middle of a surge, and `courier resume`."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bench.replies import put
from local.cdk import REPLY_COURIER
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.sqs.redrive import counts_of
from local.system import LocalCourier, running
from local.waiting import until
from tests.aws.courier.test_permissions import allowed, recorded
from tests.operators import Operator

REPLIES = 60


@pytest.fixture
def operator(courier: LocalCourier) -> Iterator[Operator]:
    stack = REPLY_COURIER.stack
    operator = Operator(courier.aws, stack, courier.queue_url, courier.dead_letter_queue_url, courier.payload_bucket)
    yield operator
    operator.courier("resume")


def surge(courier: LocalCourier, connect: ConnectControl) -> list[str]:
    contacts = [f"contact-{n}" for n in range(REPLIES)]
    connect.draft(*contacts)
    connect.settings(rate=5, burst=5, latency_ms=300)
    put(courier.aws.sqs, courier.queue_url, contacts)
    until(lambda: len(connect.sent) > 3, "some are sent")
    return contacts


def test_after_a_pause_nothing_is_sent_and_after_a_resume_each_reply_once(
    courier: LocalCourier, operator: Operator
) -> None:
    connect = ConnectControl(courier.connect_url)
    contacts = surge(courier, connect)
    assert "Paused" in operator.did("pause", "--yes")
    calls = len(connect.calls)
    assert len(connect.sent) < REPLIES
    courier.aws.skip(3_600)  # every backoff and visibility time-out is over
    shown = operator.did("status")
    assert "PAUSED since" in shown
    assert "arn:aws:sts::" in shown
    paused: Any = json.loads(operator.did("status", "--json"))["paused"]
    assert paused["by"].startswith("arn:aws:sts::")
    with running(print, context={"sendRate": "8"}, beside=courier):  # deployed meanwhile: it stays paused
        assert json.loads(operator.did("status", "--json"))["paused"] == paused
        assert len(connect.calls) == calls
    connect.settings(rate=1000, burst=1000, latency_ms=0)
    operator.did("resume")
    wait_until_empty(courier)
    assert sorted(email["contact_id"] for email in connect.sent) == sorted(contacts)
    assert counts_of(courier.aws.sqs, courier.dead_letter_queue_url) == (0, 0)
    assert json.loads(operator.did("status", "--json"))["paused"] is None


def test_pause_and_resume_ask_lambda_for_what_the_policy_allows(operator: Operator, tmp_path: Any) -> None:
    with recorded(operator) as requests:
        operator.did("pause", "--yes")
        operator.did("status")
        operator.did("resume")
    asked = {action for request in requests if (action := of_lambda(request))}
    assert asked == {action for action, _ in allowed(tmp_path / "stack") if action.startswith("lambda:")}


def of_lambda(request: Any) -> str | None:
    method, path = request["method"], request["url"]
    if "/event-source-mappings/" in path:
        return {"GET": "lambda:GetEventSourceMapping", "PUT": "lambda:UpdateEventSourceMapping"}[method]
    if "/tags/" in path:
        return {"GET": "lambda:ListTags", "POST": "lambda:TagResource", "DELETE": "lambda:UntagResource"}[method]
    return "lambda:GetFunctionConfiguration" if "/configuration" in path else None
