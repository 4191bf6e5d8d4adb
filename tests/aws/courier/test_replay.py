"""Replays at size: killed in the middle and run again."""

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

from local.aws import PROGRAM_ENVIRONMENT, ROOT, LocalAws
from local.connect.control_client import ConnectControl
from local.function.sqs_event import record_of
from local.processes import ProcessGroup
from local.sqs_faults import SqsFaults
from local.waiting import until
from tests.fakes.connect import FakeConnect
from tests.fakes.function import changed, delivery
from tests.fakes.sqs import FakeSqs
from tests.forking import popen
from tests.operators import Operator, operator_of_a_new_stack, texts
from tests.samples import QUEUE_ARN, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from handler.delivery import Delivery

KILLED = 250


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
            answer = self.delivery.deliver_all([record_of(message, QUEUE_ARN) for message in received], lambda: 600)
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
        function = changed(delivery(FakeConnect(), FakeSqs(), log=output), now=time.time)
        settings = replace(function.settings, dead_letter_queue_url=operator.dead_letter_queue_url)
        yield Whole(operator, connect, changed(function, connect=client, sqs=lambda: aws.sqs, settings=settings))
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
        command = [*operator.command, "dlq", "replay", "--all", "--yes", "--rate", "50"]
        nowhere = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with popen(command, cwd=ROOT, env=operator.env, **nowhere) as replay:
            until(
                lambda: sum(operator.counts(operator.dead_letter_queue_url)) < KILLED - 50,
                "50 are replayed",
            )
            # From here on nothing is deleted any more: there are letters that are sent and still there.
            faults.fail("DeleteMessageBatch", "error")
            until(lambda: faults.struck["DeleteMessageBatch", "error"] > 0, "a delete failed")
            replay.kill()
    assert replay.returncode == -9
    in_the_middle = sum(operator.counts(operator.queue_url)), sum(operator.counts(operator.dead_letter_queue_url))
    assert sum(in_the_middle) > KILLED, "no letter was sent and not deleted"
    assert min(in_the_middle) > 0
    delivered = whole.deliver()

    operator.environment.clear()
    operator.aws.skip(70)  # what the killed one held is visible again
    operator.did("dlq", "replay", "--all", "--yes")
    delivered += whole.deliver()

    assert delivered > KILLED
    # Where a repeat answers 409, a copy of what was sent waits as TokenAlreadyUsed: nobody can tell that it was sent.
    reasons = {texts(letter)["Reason"] for letter in operator.dead_letters}
    assert reasons == ({"TokenAlreadyUsed"} if repeat_conflicts else set())
    assert Counter(email["client_token"] for email in connect.sent) == {f"token-{n}": 1 for n in range(KILLED)}


def test_a_letter_that_sqs_moved_after_it_was_sent_is_not_sent_again(whole: Whole) -> None:
    operator, connect = whole.operator, whole.connect
    connect.settings(repeat="conflict")
    connect.draft("contact-1")
    moved = operator.moved_by_sqs()
    request: Any = json.loads(operator.dead_letters[0]["Body"])
    whole.delivery.sender.connect.start_outbound_email_contact(
        InstanceId=whole.delivery.settings.instance_arn, ClientToken=moved, **request
    )
    operator.did("dlq", "replay", "--all", "--yes")
    assert whole.deliver() == 1
    assert [texts(letter)["Reason"] for letter in operator.dead_letters] == ["TokenAlreadyUsed"]
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
    assert [email["client_token"] for email in connect.sent] == [texts(letter)["MessageId"]]
