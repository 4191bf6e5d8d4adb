"""The storm's own races against SQS: they are part of the weather, not of the result."""

from bench.storm import make_visible
from tests.aws.conftest import Courier


def test_handing_a_message_out_again_while_the_one_who_has_it_deletes_it_strikes_nothing(courier: Courier) -> None:
    courier.put()
    [record] = courier.receive()
    assert make_visible(courier.sqs, courier.queue_url, record["receiptHandle"])
    [again] = courier.receive()
    courier.sqs.delete_message(QueueUrl=courier.queue_url, ReceiptHandle=again["receiptHandle"])
    assert not make_visible(courier.sqs, courier.queue_url, again["receiptHandle"])
