"""SQS on this machine at its limits, and the proxy that makes it fail, as boto3 meets them."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from local.aws import LocalAws
from local.sqs import counts_of
from local.sqs_faults import Kind, SqsFaults
from local.system import LocalCourier
from local.waiting import until

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MIB = 1_048_576


@dataclass
class Queue:
    """A queue of a test's own, seen directly (``sqs``) and through the proxy (``through``)."""

    sqs: "SQSClient"
    url: str
    faults: SqsFaults
    through: "SQSClient"

    def send(self, body: str = "b") -> str:
        return self.through.send_message(QueueUrl=self.url, MessageBody=body)["MessageId"]

    def held(self) -> int:
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


@pytest.fixture
def queue(empty_aws: LocalAws, request: pytest.FixtureRequest) -> Iterator[Queue]:
    url = empty_aws.sqs.create_queue(QueueName=f"q{abs(hash(request.node.name))}")["QueueUrl"]
    once = Config(retries={"total_max_attempts": 1})
    with SqsFaults(empty_aws.endpoint, Random(1)) as faults:
        through = empty_aws.session.client("sqs", endpoint_url=faults.url, config=once)
        yield Queue(empty_aws.sqs, url, faults, through)
        through.close()


# Limits, as boto3 reads them


def test_boto3_reads_the_error_of_a_message_beyond_a_limit(queue: Queue) -> None:
    attributes = {f"a{n}": {"DataType": "String", "StringValue": "v"} for n in range(11)}
    for broken, code in (
        ({"MessageBody": "b" * (MIB + 1)}, "InvalidParameterValue"),
        ({"MessageBody": "b", "MessageAttributes": attributes}, "InvalidParameterValue"),
        ({"MessageBody": "\0"}, "InvalidMessageContents"),
    ):
        with pytest.raises(ClientError) as error:
            queue.sqs.send_message(QueueUrl=queue.url, **broken)
        assert error.value.response["Error"]["Code"] == code
    assert queue.held() == 0


def test_a_batch_can_fail_in_part_and_fails_whole_above_its_limit(queue: Queue) -> None:
    answer = queue.sqs.send_message_batch(
        QueueUrl=queue.url, Entries=[{"Id": "good", "MessageBody": "b"}, {"Id": "bad", "MessageBody": "\0"}]
    )
    assert [each["Id"] for each in answer["Successful"]] == ["good"]
    assert [(each["Id"], each["Code"], each["SenderFault"]) for each in answer["Failed"]] == [
        ("bad", "InvalidMessageContents", True)
    ]
    answer = queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=[{"Id": "bad", "MessageBody": "\0"}])
    assert not answer.get("Successful")
    assert len(answer["Failed"]) == 1
    with pytest.raises(queue.sqs.exceptions.BatchRequestTooLong):
        queue.sqs.send_message_batch(
            QueueUrl=queue.url,
            Entries=[{"Id": "1", "MessageBody": "b" * MIB}, {"Id": "2", "MessageBody": "b"}],
        )
    assert queue.held() == 1


# Without a fault


def test_without_a_fault_the_proxy_changes_nothing_of_a_message(queue: Queue) -> None:
    values = {f"a{n}": {"DataType": "Binary", "BinaryValue": bytes(range(256))} for n in range(10)}
    body = "é" * ((MIB - sum(len(name) + len("Binary") + 256 for name in values)) // 2)
    queue.through.send_message(QueueUrl=queue.url, MessageBody=body, MessageAttributes=values)  # type: ignore[arg-type]  # mypy infers object

    (received,) = queue.through.receive_message(QueueUrl=queue.url, MessageAttributeNames=["All"])["Messages"]

    assert received["Body"] == body
    assert received["MessageAttributes"] == values


def test_the_proxy_passes_an_error_of_sqs_on(queue: Queue) -> None:
    with pytest.raises(queue.through.exceptions.QueueDoesNotExist) as refused:
        queue.through.send_message(QueueUrl=f"{queue.url}-not", MessageBody="b")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert refused.value.response["ResponseMetadata"]["RequestId"]


def test_a_request_that_ends_before_its_body_is_ignored(queue: Queue) -> None:
    queue.faults.fail("SendMessage", "error")
    host, port = urlsplit(queue.faults.url).netloc.split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = b"POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nContent-Length: 1000\r\n\r\n"
        connection.sendall(head + b'{"MessageBody":')
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    assert not queue.faults.struck


# Faults


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        ("error", "InternalFailure", 500),
        ("throttle", "RequestThrottled", 400),
        ("refuse", "AccessDenied", 403),
        ("gone", "AWS.SimpleQueueService.NonExistentQueue", 400),
    ],
)
def test_boto3_reads_the_error_of_a_fault_and_no_message_is_sent(
    queue: Queue, kind: Kind, code: str, status: int
) -> None:
    queue.faults.fail("SendMessage", kind)

    with pytest.raises(ClientError) as error:
        queue.send()

    assert error.value.response["Error"]["Code"] == code
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert queue.held() == 0


@pytest.mark.parametrize(("kind", "held"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_connection_has_no_answer_with_or_without_a_message(queue: Queue, kind: Kind, held: int) -> None:
    queue.faults.fail("SendMessage", kind, times=1)

    with pytest.raises(ConnectionClosedError):
        queue.send()

    assert queue.held() == held
    queue.send()
    assert queue.held() == held + 1


def test_a_fault_strikes_its_operation_the_given_number_of_times(queue: Queue) -> None:
    queue.faults.fail("SendMessage", "error", times=2)

    queue.through.get_queue_url(QueueName=queue.url.rpartition("/")[2])
    for _ in range(2):
        with pytest.raises(ClientError):
            queue.send()
    queue.send()

    assert queue.faults.struck == {("SendMessage", "error"): 2}


def test_cleared_faults_keep_their_counts(queue: Queue) -> None:
    queue.faults.fail("SendMessage", "throttle")
    with pytest.raises(ClientError):
        queue.send()
    queue.faults.clear()
    queue.send()

    assert queue.faults.struck == {("SendMessage", "throttle"): 1}


def test_random_faults_use_the_given_generator(queue: Queue) -> None:
    queue.faults.fail("SendMessage", "error", probability=0.5)

    def outcomes() -> list[bool]:
        queue.faults.rng.seed(7)
        return [succeeds(queue) for _ in range(20)]

    draws = Random(7)
    assert outcomes() == outcomes() == [draws.random() >= 0.5 for _ in range(20)]


def test_a_fault_counts_the_requests_of_all_threads(queue: Queue) -> None:
    queue.faults.fail("SendMessage", "error", times=10)
    together = threading.Barrier(8)

    def send_five() -> int:
        together.wait()
        return sum(succeeds(queue) for _ in range(5))

    with ThreadPoolExecutor(8) as threads:
        sent = sum(future.result() for future in [threads.submit(send_five) for _ in range(8)])

    assert (sent, queue.held()) == (30, 30)
    assert queue.faults.struck == {("SendMessage", "error"): 10}


def succeeds(queue: Queue) -> bool:
    try:
        queue.send()
    except ClientError:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "error", "is_written"),
    [
        ("error", "InternalServerError", False),
        ("throttle", "ThrottlingException", False),
        ("refuse", "AccessDeniedException", False),
        ("gone", "ResourceNotFoundException", False),
        ("drop_before", ConnectionClosedError, False),
        ("drop_after", ConnectionClosedError, True),
        ("garbage_after", None, True),
        ("late", ReadTimeoutError, True),
    ],
)
def test_boto3_reads_each_fault_of_a_table_and_a_write_is_done_or_not(
    empty_aws: LocalAws, kind: Kind, error: str | type[Exception] | None, *, is_written: bool
) -> None:
    name = f"table-{kind}"
    empty_aws.tables.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "Key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "Key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    once = Config(retries={"total_max_attempts": 1}, read_timeout=1)
    with SqsFaults(empty_aws.endpoint, Random(1)) as faults:
        through = empty_aws.session.client("dynamodb", endpoint_url=faults.url, config=once)
        faults.fail("UpdateItem", kind, times=1, seconds=2)

        def update() -> dict[str, Any]:
            return {
                **through.update_item(
                    TableName=name,
                    Key={"Key": {"S": "k"}},
                    UpdateExpression="SET Contact = :c",
                    ExpressionAttributeValues={":c": {"S": "c"}},
                    ReturnValues="ALL_NEW",
                )
            }

        if error is None:
            assert "Attributes" not in update()
        else:
            with pytest.raises(ClientError if isinstance(error, str) else error) as raised:
                update()
            if isinstance(raised.value, ClientError):
                assert raised.value.response["Error"]["Code"] == error
        assert ("Item" in through.get_item(TableName=name, Key={"Key": {"S": "k"}})) == is_written
        assert faults.struck == {("UpdateItem", kind): 1}
        through.close()


def test_faults_strike_the_functions_calls_and_not_the_pollers(courier: LocalCourier) -> None:
    faults, sqs = courier.sqs_faults, courier.aws.sqs
    before = faults.struck
    faults.fail("SendMessage", "drop_before", times=1)
    faults.fail("DeleteMessageBatch", "error")
    try:
        sqs.send_message(QueueUrl=courier.queue_url, MessageBody="no reply")
        queues = courier.queue_url, courier.dead_letter_queue_url
        places = [(0, 0), (1, 0)]
        until(lambda: [counts_of(sqs, url) for url in queues] == places, "it is on the dead-letter queue alone")
        assert faults.struck - before == {("SendMessage", "drop_before"): 1}
    finally:
        faults.clear()
