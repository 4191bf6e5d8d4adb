from concurrent.futures import ThreadPoolExecutor

import pytest

from local.aws import LocalAws


def test_a_long_poll_does_not_block_other_requests(empty_aws: LocalAws) -> None:
    sqs = empty_aws.sqs
    url = sqs.create_queue(QueueName="long-poll")["QueueUrl"]
    with ThreadPoolExecutor(1) as other_thread:
        poll = other_thread.submit(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20)
        for _ in range(10):
            sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        sqs.send_message(QueueUrl=url, MessageBody="while it waits")
    # If the poll held up the others, it would end without a message before this one could be sent.
    assert [message["Body"] for message in poll.result()["Messages"]] == ["while it waits"]


def test_a_long_poll_ends_when_a_message_is_visible_again(empty_aws: LocalAws) -> None:
    sqs = empty_aws.sqs
    url = sqs.create_queue(QueueName="visible-again")["QueueUrl"]
    sent = sqs.send_message(QueueUrl=url, MessageBody="first")["MessageId"]
    for _ in range(2):
        poll = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, VisibilityTimeout=1)
        assert [message["MessageId"] for message in poll["Messages"]] == [sent]


def test_a_skip_ends_delays_and_visibility_timeouts(empty_aws: LocalAws) -> None:
    sqs = empty_aws.sqs
    url = sqs.create_queue(QueueName="skipped")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=600)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    empty_aws.skip(601)
    (message,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=40_000)["Messages"]
    empty_aws.skip(39_900)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    empty_aws.skip(101)
    (again,) = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
    assert again["MessageId"] == message["MessageId"]
    first = int(again["Attributes"]["ApproximateFirstReceiveTimestamp"])
    sent = int(again["Attributes"]["SentTimestamp"])
    assert 601_000 <= first - sent < 660_000  # the timestamps are of the same clock


def test_the_twelve_hours_of_visibility_count_from_the_receive(empty_aws: LocalAws) -> None:
    sqs = empty_aws.sqs
    url = sqs.create_queue(QueueName="old")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "1209600"})
    sqs.send_message(QueueUrl=url, MessageBody="old")
    empty_aws.skip(13 * 86_400)
    (message,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=60)["Messages"]
    handle = message["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=40_000)
    empty_aws.skip(39_000)
    with pytest.raises(sqs.exceptions.ClientError, match="beyond the limit"):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=40_000)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1
