from concurrent.futures import ThreadPoolExecutor

from local.aws import LocalAws


def test_a_long_poll_holds_nobody_up(empty_aws: LocalAws) -> None:
    sqs = empty_aws.sqs
    url = sqs.create_queue(QueueName="long-poll")["QueueUrl"]
    answered = 0
    with ThreadPoolExecutor(1) as other_thread:
        poll = other_thread.submit(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=2)
        while not poll.done():
            sqs.get_queue_url(QueueName="long-poll")
            answered += 1
    assert answered > 20  # one takes some milliseconds; held up by the poll it would be a few


def test_a_long_poll_ends_when_a_message_is_visible_again(empty_aws: LocalAws) -> None:
    sqs = empty_aws.sqs
    url = sqs.create_queue(QueueName="visible-again")["QueueUrl"]
    sent = sqs.send_message(QueueUrl=url, MessageBody="first")["MessageId"]
    for _ in range(2):
        poll = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, VisibilityTimeout=1)
        assert [message["MessageId"] for message in poll["Messages"]] == [sent]
