import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from local.aws import LocalAws
from local.function.deployed_function import DeployedFunction, DeploymentWatch
from local.function.event_source_mapping import LONG_POLL_SECONDS, Poller, deployed_mapping
from local.function.execution_environment import ExecutionEnvironment, LogLine
from local.function.runtime_process import Surroundings
from local.processes import ProcessGroup
from local.waiting import until

type Deploy = Callable[..., DeployedFunction]

VISIBILITY = 600
"""Seconds; no test waits for their end: SQS's clock is skipped ahead."""
PATIENCE = 120
"""Seconds."""


@dataclass
class Mapped:
    """A queue with the tiny function behind it."""

    aws: LocalAws
    queue_url: str
    queue_arn: str
    poller: Poller
    environments: Sequence[ExecutionEnvironment]
    logs: list[LogLine]

    def send(self, *actions: dict[str, Any], **more: Any) -> list[str]:
        """Send each action as a message; return their ids."""
        return [
            self.aws.sqs.send_message(QueueUrl=self.queue_url, MessageBody=json.dumps(action), **more)["MessageId"]
            for action in actions
        ]

    def logged(self, key: str) -> list[dict[str, Any]]:
        lines = [json.loads(log.line) for log in self.logs if log.line.startswith("{")]
        return [line for line in lines if key in line]

    def received(self, message_id: str) -> list[dict[str, Any]]:
        """Every record with that id which the function has seen."""
        records = [record for line in self.logged("records") for record in line["records"]]
        return [record for record in records if record["messageId"] == message_id]

    def visible(self) -> int:
        return self._count("ApproximateNumberOfMessages")

    def left(self) -> int:
        return self._count("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")

    def until_empty(self) -> None:
        until(lambda: self.left() == 0, "the queue is empty", PATIENCE)

    def until_hidden(self, *message_ids: str) -> None:
        """Wait until each was received once and its invocation is over: nothing is left but to wait."""
        until(
            lambda: all(len(self.received(each)) == 1 for each in message_ids) and self.poller.is_idle,
            "each was received once",
            PATIENCE,
        )

    def _count(self, *names: Any) -> int:
        counts = self.aws.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=names)["Attributes"]
        return sum(int(count) for count in counts.values())


@pytest.fixture
def mapped(empty_aws: LocalAws, deploy_tiny: Deploy, processes: ProcessGroup, surroundings: Surroundings) -> Any:
    @contextmanager
    def start(
        name: str, *, batch_size: int = 10, concurrency: int = 2, timeout: int = 10, visibility: int = VISIBILITY
    ) -> Iterator[Mapped]:
        """Yields with the poller paused, so that a test can fill the queue first."""
        url = empty_aws.sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": str(visibility)})["QueueUrl"]
        arn = f"arn:aws:sqs:eu-central-1:123456789012:{name}"
        function = deploy_tiny(name, timeout=timeout)
        empty_aws.functions.create_event_source_mapping(
            FunctionName=name,
            EventSourceArn=arn,
            BatchSize=batch_size,
            ScalingConfig={"MaximumConcurrency": concurrency},
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )
        mapping = deployed_mapping(empty_aws, name)
        logs: list[LogLine] = []
        # Two more than the mapping allows: it is the poller that has to hold the limit.
        environments = [
            ExecutionEnvironment(f"{name}-{n}", lambda: function, surroundings, processes, logs.append)
            for n in range(concurrency + 2)
        ]
        watch = DeploymentWatch(empty_aws, function, mapping.uuid)
        with Poller(mapping, empty_aws, watch, environments) as poller:
            poller.pause()
            yield Mapped(empty_aws, url, arn, poller, environments, logs)
        for environment in environments:
            environment.close()

    return start


def test_a_message_is_delivered_whole_and_deleted(mapped: Any) -> None:
    attributes = {
        "ClientToken": {"DataType": "String", "StringValue": "t-1"},
        "Count": {"DataType": "Number.int", "StringValue": "7"},
        "Blob": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    with mapped("whole") as mapping:
        (sent,) = mapping.send({"do": "nothing", "text": "grüße 🦊"}, MessageAttributes=attributes)
        mapping.poller.resume()
        mapping.until_empty()
        (record,) = mapping.received(sent)
    assert json.loads(record["body"]) == {"do": "nothing", "text": "grüße 🦊"}
    assert record["eventSourceARN"] == mapping.queue_arn
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert {"SentTimestamp", "ApproximateFirstReceiveTimestamp", "SenderId"} <= record["attributes"].keys()
    assert record["messageAttributes"]["ClientToken"]["stringValue"] == "t-1"
    assert record["messageAttributes"]["Count"]["dataType"] == "Number.int"
    assert record["messageAttributes"]["Blob"]["binaryValue"] == "AP8="
    assert record["md5OfMessageAttributes"]


def test_only_reported_messages_return_with_a_higher_receive_count(mapped: Any) -> None:
    with mapped("partial") as mapping:
        good, bad = mapping.send({"do": "nothing"}, {"do": "report"})
        mapping.poller.resume()
        mapping.until_hidden(bad)
        mapping.aws.skip(VISIBILITY)
        until(lambda: len(mapping.received(bad)) == 2, "the reported one came twice", PATIENCE)
        mapping.poller.pause()
        assert len(mapping.received(good)) == 1
        assert mapping.left() == 1
    first, second = mapping.received(bad)
    assert [record["attributes"]["ApproximateReceiveCount"] for record in (first, second)] == ["1", "2"]
    assert first["receiptHandle"] != second["receiptHandle"]


@pytest.mark.parametrize(
    ("name", "action"),  # all other failures and answers are in test_execution_environment and test_sqs_event
    [
        ("hang", {"do": "hang"}),
        ("unknown-id", {"do": "answer", "value": {"batchItemFailures": [{"itemIdentifier": "unknown"}]}}),
    ],
)
def test_a_failed_invocation_deletes_nothing_and_all_messages_return(
    mapped: Any, name: str, action: dict[str, Any]
) -> None:
    with mapped(name, timeout=10) as mapping:  # on a busy machine, a shorter one ends before the function has logged
        ids = mapping.send({"do": "nothing"}, action)
        mapping.poller.resume()
        mapping.until_hidden(*ids)
        assert [record["messageId"] for record in mapping.logged("records")[0]["records"]] == ids
        mapping.aws.skip(VISIBILITY - 60)
        assert (mapping.visible(), mapping.left()) == (0, 2)
        mapping.aws.skip(60)
        # Their visibility ends a moment apart: they may come back in two batches, and one of them may succeed alone.
        until(lambda: all(len(mapping.received(message_id)) >= 2 for message_id in ids), "all came twice", PATIENCE)


def test_batches_are_as_large_as_deployed_and_no_larger(mapped: Any) -> None:
    with mapped("batches", batch_size=3, concurrency=2) as mapping:
        mapping.send(*[{"do": "nothing"}] * 7)
        mapping.poller.resume()
        mapping.until_empty()
    assert sorted(len(line["records"]) for line in mapping.logged("records")) == [1, 3, 3]


def test_as_many_invocations_run_as_the_maximum_concurrency_and_no_more(mapped: Any) -> None:
    with mapped("concurrency", batch_size=1, concurrency=3) as mapping:
        ids = mapping.send(*[{"do": "wait", "seconds": 0.2}] * 15)
        mapping.poller.resume()
        mapping.until_empty()
        assert all(len(mapping.received(message_id)) == 1 for message_id in ids)
    changes = [(line["at"], 1) for line in mapping.logged("records")]
    changes += [(line["at"], -1) for line in mapping.logged("finished")]
    running = [sum(change for _, change in sorted(changes)[: n + 1]) for n in range(len(changes))]
    assert max(running) == 3


def test_single_messages_use_one_environment_again_and_again(mapped: Any) -> None:
    with mapped("warm", concurrency=3) as mapping:
        mapping.poller.resume()
        for _ in range(3):
            mapping.send({"do": "nothing"})
            mapping.until_empty()
    assert {log.environment for log in mapping.logs} == {"warm-0"}


def test_nothing_is_received_while_no_environment_is_free(mapped: Any) -> None:
    with mapped("busy", batch_size=1, concurrency=2, timeout=60, visibility=60) as mapping:
        mapping.send({"do": "hang"}, {"do": "hang"})
        mapping.poller.resume()
        until(lambda: sum(log.line == "hanging" for log in mapping.logs) == 2, "both hang", PATIENCE)
        mapping.send({"do": "nothing"})
        # As long as a long poll of an empty queue takes, a poller that did receive would have had this message.
        empty = mapping.aws.sqs.create_queue(QueueName="empty")["QueueUrl"]
        mapping.aws.sqs.receive_message(QueueUrl=empty, WaitTimeSeconds=LONG_POLL_SECONDS)
        assert mapping.visible() == 1


def test_a_stop_abandons_the_messages_in_flight(mapped: Any) -> None:
    with mapped("stopped", timeout=60) as mapping:
        mapping.send({"do": "hang"})
        mapping.poller.resume()
        until(lambda: LogLine("stopped-0", "hanging") in mapping.logs, "it hangs", PATIENCE)
    (report,) = (log.line for log in mapping.logs if "platform.report" in log.line)
    assert '"status": "failure"' in report  # killed: a time-out would be "timeout"
    assert mapping.left() == 1


def test_a_disabled_mapping_delivers_nothing_until_it_is_enabled(mapped: Any) -> None:
    with mapped("disabled") as mapping:
        functions, uuid = mapping.aws.functions, mapping.poller.mapping.uuid
        mapping.poller.resume()
        answer = functions.update_event_source_mapping(UUID=uuid, Enabled=False)
        assert answer["State"] == "Disabling"
        until(lambda: functions.get_event_source_mapping(UUID=uuid)["State"] == "Disabled", "it is disabled", PATIENCE)
        (sent,) = mapping.send({"do": "nothing"})
        assert (mapping.visible(), mapping.received(sent)) == (1, [])
        assert functions.update_event_source_mapping(UUID=uuid, Enabled=True)["State"] == "Enabling"
        mapping.until_empty()
        assert len(mapping.received(sent)) == 1
        until(lambda: functions.get_event_source_mapping(UUID=uuid)["State"] == "Enabled", "it is enabled", PATIENCE)
