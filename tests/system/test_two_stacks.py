"""Two stacks in one account: an instance each, or a stage each."""

import json
from dataclasses import replace

from bench.load import put
from local.cdk import REPLY_COURIER
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.system import LocalCourier, running
from tests.operators import Operator
from tests.settings import SECOND_STACK


def test_each_sends_from_its_own_queue_and_under_its_own_name(courier: LocalCourier) -> None:
    connect = ConnectControl(courier.connect_url)
    connect.draft("first", "second")
    with running(print, context=SECOND_STACK, app=replace(REPLY_COURIER, stack="second"), beside=courier) as second:
        first_from, second_from = len(courier.logs), len(second.logs)
        put(courier.aws.sqs, courier.queue_url, ["first"])
        put(second.aws.sqs, second.queue_url, ["second"])  # to somebody whom this one does not send to
        wait_until_empty(courier)
        wait_until_empty(second)
        events = [
            [json.loads(line.line) for line in lines if '"service"' in line.line]
            for lines in (courier.logs[first_from:], second.logs[second_from:])
        ]
        assert {event["service"] for event in events[0]} == {"reply-courier"}
        assert {event["service"] for event in events[1]} == {"second"}
        assert [email["contact_id"] for email in connect.sent] == ["first"]
        operator = Operator(second.aws, "second", second.queue_url, second.dead_letter_queue_url, second.payload_bucket)
        assert "RecipientNotAllowed" in operator.did("dlq", "list")
        assert second.function.name != courier.function.name
