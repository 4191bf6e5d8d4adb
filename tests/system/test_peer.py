"""The peer that benchmarks compare with: it deploys, and sends what it is given."""

import json

from bench.peer import PEER
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.system import running
from tests.samples import reply


def test_the_peer_deploys_and_sends_a_plain_reply() -> None:
    # What it says is not printed: unlike this project's own, its errors may quote a reply.
    with running(print, context={"maxConcurrency": "2"}, app=PEER) as courier:
        connect = ConnectControl(courier.connect_url)
        connect.draft("contact-1")
        courier.aws.sqs.send_message(QueueUrl=courier.queue_url, MessageBody=json.dumps(reply()))
        wait_until_empty(courier)
        assert [email["contact_id"] for email in connect.sent] == ["contact-1"]
        assert len(courier.environments) == 2
