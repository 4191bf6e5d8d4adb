import json

from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.sqs import counts_of
from local.system import LocalCourier
from local.waiting import until
from tests.samples import reply


def test_nobody_waits_for_the_visibility_timeout_of_what_a_crash_left_behind(courier: LocalCourier) -> None:
    connect = ConnectControl(courier.connect_url)
    connect.draft("contact-1")
    connect.fail("hang", seconds=3600)
    courier.aws.sqs.send_message(QueueUrl=courier.queue_url, MessageBody=json.dumps(reply()))
    until(lambda: connect.calls, "the call has come")
    assert not courier.poller.is_idle
    for environment in courier.environments:
        environment.kill()
    ahead = courier.aws.skip(0)
    wait_until_empty(courier)
    attributes = courier.aws.sqs.get_queue_attributes(QueueUrl=courier.queue_url, AttributeNames=["VisibilityTimeout"])
    assert courier.aws.skip(0) - ahead > int(attributes["Attributes"]["VisibilityTimeout"]) / 2
    assert len(connect.calls) == 2
    assert len(connect.sent) == 1
    assert counts_of(courier.aws.sqs, courier.queue_url) == (0, 0)
    assert courier.poller.is_idle
