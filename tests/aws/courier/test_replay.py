"""Replays at size: killed in the middle and run again, and as fast as a bare loop."""

from __future__ import annotations

import io
import json
import subprocess
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from courier.aws import Queues
from courier.choice import Choice
from courier.drain import Drain, Pace
from courier.filters import Filters
from courier.held_letters import Holding
from courier.replay import Replay
from handler.batch import deliver_all
from local.aws import PROGRAM_ENVIRONMENT, ROOT, LocalAws
from local.connect.control_client import ConnectControl
from local.function.sqs_event import record_of
from local.processes import ProcessGroup
from local.sqs.faults import SqsFaults
from tests.fakes.function import FakeConnect, FakeSqs, delivery
from tests.operators import Operator, operator_of_a_new_stack, texts
from tests.samples import QUEUE_ARN, REGION
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_sqs import SQSClient

    from handler.delivery import Delivery

KILLED = 500
MEASURED = 1_000


@dataclass
class Whole:
    """The operator's queues, and the function between them and the emulated Connect."""

    operator: Operator
    connect: ConnectControl
    delivery: Delivery

    def deliver(self) -> int:
        """Have the function work through the queue; return how many messages it was given."""
        count = 0
        while received := self.operator.sqs.receive_message(
            QueueUrl=self.operator.queue_url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages"):
            answer = deliver_all([record_of(message, QUEUE_ARN) for message in received], lambda: 600, self.delivery)
            assert answer["batchItemFailures"] == []
            for message in received:
                self.operator.sqs.delete_message(
                    QueueUrl=self.operator.queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
            count += len(received)
        return count


@pytest.fixture
def whole(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    operator = operator_of_a_new_stack(aws)
    with ExitStack() as started:
        processes = started.enter_context(ProcessGroup())
        log = tmp_path_factory.mktemp("connect") / "log"
        url = processes.start_server("local.connect", "--port", "0", env=PROGRAM_ENVIRONMENT, cwd=ROOT, log=log)
        connect = ConnectControl(url)
        connect.settings(rate=1000, burst=1000)
        client = boto3.client(
            "connect", REGION, endpoint_url=url, aws_access_key_id="local", aws_secret_access_key="local"
        )
        output = io.StringIO()
        function = delivery(FakeConnect(), FakeSqs(), log=output)
        settings = replace(function.settings, dead_letter_queue_url=operator.dead_letter_queue_url)
        yield Whole(operator, connect, replace(function, connect=client, sqs=aws.sqs, settings=settings))
        print(output.getvalue())  # for the check of tests/conftest.py


@pytest.mark.parametrize("repeat_conflicts", [False, True])
def test_a_replay_killed_in_the_middle_and_run_again_sends_each_reply_once(
    whole: Whole, repeat_conflicts: bool
) -> None:
    operator, connect = whole.operator, whole.connect
    connect.settings(repeat="conflict" if repeat_conflicts else "same_contact")
    connect.draft(*(f"contact-{n}" for n in range(KILLED)))
    operator.letters(KILLED)
    with SqsFaults(operator.aws.endpoint, Random(1)) as faults:
        operator.environment["AWS_ENDPOINT_URL_SQS"] = faults.url
        replay = subprocess.Popen([*operator.command, "dlq", "replay", "--yes"], cwd=ROOT, env=operator.env)
        with replay:
            until(
                lambda: sum(operator.counts(operator.dead_letter_queue_url)) < KILLED - 100,
                "100 are replayed",
                seconds=30,
            )
            # From here on nothing is deleted any more: there are letters that are sent and still there.
            faults.fail("DeleteMessageBatch", "error")
            until(lambda: faults.struck["DeleteMessageBatch", "error"] > 0, "a delete failed", seconds=30)
            replay.kill()
    assert replay.returncode == -9
    in_the_middle = sum(operator.counts(operator.queue_url)), sum(operator.counts(operator.dead_letter_queue_url))
    assert sum(in_the_middle) > KILLED, "no letter was sent and not deleted"
    assert min(in_the_middle) > 0
    delivered = whole.deliver()

    operator.environment.clear()
    operator.aws.skip(70)  # what the killed one held is visible again
    operator.did("dlq", "replay", "--yes")
    delivered += whole.deliver()

    assert delivered > KILLED
    assert operator.counts(operator.dead_letter_queue_url) == (0, 0)
    assert Counter(email["client_token"] for email in connect.sent) == {f"token-{n}": 1 for n in range(KILLED)}


def test_a_letter_that_sqs_moved_after_it_was_sent_is_not_sent_again(whole: Whole) -> None:
    operator, connect = whole.operator, whole.connect
    connect.settings(repeat="conflict")
    connect.draft("contact-1")
    moved = operator.moved_by_sqs()
    request: Any = json.loads(operator.dead_letters[0]["Body"])
    whole.delivery.connect.start_outbound_email_contact(
        InstanceId=whole.delivery.settings.instance_arn, ClientToken=moved, **request
    )
    operator.did("dlq", "replay", "--yes")
    assert whole.deliver() == 1
    assert operator.counts(operator.dead_letter_queue_url) == (0, 0)
    assert [email["client_token"] for email in connect.sent] == [moved]


def test_an_edited_letter_is_sent_once(whole: Whole, tmp_path: Path) -> None:
    operator, connect = whole.operator, whole.connect
    connect.draft("contact-2")
    operator.put(operator.queue_url)
    assert whole.deliver() == 1
    (letter,) = operator.dead_letters
    operator.edits_with(tmp_path, "text = text.replace('contact-1', 'contact-2')")
    operator.did("dlq", "edit", letter["MessageId"], "--yes")
    assert whole.deliver() == 1
    assert [email["client_token"] for email in connect.sent] == [f"{texts(letter)['ClientToken']}.edit-1"]


def bare_loop(sqs: SQSClient, source: str, destination: str) -> int:
    """Receive, send and delete in batches, and nothing else; return the number of calls."""
    calls = 1
    while received := sqs.receive_message(
        QueueUrl=source, MaxNumberOfMessages=10, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    ).get("Messages"):
        sqs.send_message_batch(
            QueueUrl=destination,
            Entries=[
                {"Id": str(n), "MessageBody": m["Body"], "MessageAttributes": m["MessageAttributes"]}
                for n, m in enumerate(received)
            ],
        )
        sqs.delete_message_batch(
            QueueUrl=source,
            Entries=[{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(received)],
        )
        calls += 3
    return calls


def test_a_replay_makes_at_least_0_8_of_the_calls_a_second_of_a_bare_loop(aws: LocalAws) -> None:
    """The best of three each, in turns: others use this machine, too."""
    bare, ours = [], []
    for _ in range(3):
        operator = operator_of_a_new_stack(aws)
        operator.letters(MEASURED)
        begun = time.perf_counter()
        calls = bare_loop(aws.sqs, operator.dead_letter_queue_url, operator.queue_url)
        bare.append(calls / (time.perf_counter() - begun))

        operator = operator_of_a_new_stack(aws)
        operator.letters(MEASURED)
        made: list[str] = []
        sqs = aws.session.client("sqs", endpoint_url=aws.endpoint)
        sqs.meta.events.register("before-call.sqs", lambda model, **_: made.append(model.name))  # noqa: B023 - used in this turn
        begun = time.perf_counter()
        with Holding(sqs, operator.dead_letter_queue_url, print) as holding:
            queues = Queues(operator.queue_url, operator.dead_letter_queue_url)
            work = Drain(
                holding, Choice(Filters(), time.time(), None, replays=True), Replay(sqs, queues, holding), Pace(None)
            )
            work.run(lambda _count: None)
        ours.append(len(made) / (time.perf_counter() - begun))
        assert work.done == MEASURED
    print(f"calls a second: bare {max(bare):.0f}, courier {max(ours):.0f}; ratio {max(ours) / max(bare):.2f}")
    assert max(ours) / max(bare) >= 0.8
