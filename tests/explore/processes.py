"""The shipped code at work: run anew with the answers that it got so far, until it asks for the next one.

The same answers always lead to the same question, so each history is run once and remembered.
"""

from __future__ import annotations

import io
import os
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import typer
from aws_lambda_powertools import Logger, Metrics, Tracer
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError

from bench.dynamodb import KEY, condition_failed
from courier import edit as edit_command
from courier import payloads as courier_payloads
from courier.aws import Account, Queues
from courier.edit import edited_message
from courier.replay import ReplayRun
from courier.selection import Filters, Selection
from courier.sending import message_for_dead_letter_queue, move
from handler.delivery import create_delivery
from handler.observability import Observability
from handler.settings import Settings
from tests.explore.drafts import frozen, mark_prefix, thawed
from tests.explore.world import BODIES, EDITED, Message, Process
from tests.fakes.faults import refusal
from tests.fakes.function import FakeClock
from tests.samples import INSTANCE_ARN, string_attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_RECEIVES, MAX_RECEIVE_COUNT = 3, 2
"""The function's own limit, and SQS's where it moves messages itself: small, so that a few faults reach them."""
QUEUE, DEAD = "queue", "dead"
REFUSALS = {
    "429": refusal(429, "ThrottlingException"),
    "500": refusal(500, "InternalServiceException"),
    "403": refusal(403, "AccessDeniedException"),
    "402": refusal(402, "ServiceQuotaExceededException"),
    "404": refusal(404, "ResourceNotFoundException"),
    "409": refusal(409, "IdempotencyException"),
    "error": refusal(400, "InvalidParameterValue"),
}
SETTINGS = Settings(
    instance_arn=INSTANCE_ARN,
    queue_url=QUEUE,
    dead_letter_queue_url=DEAD,
    payload_bucket="",
    draft_table="drafts",
    event_bus_name="",
    send_rate_share=1000,
    burst_share=10,
    retry_seconds=6 * 3600,
    max_receives=MAX_RECEIVES,
    crash_loop_seconds=18 * 3600,
    retention_seconds=14 * 86_400,
    allowed_recipients=(),
)


class Call(NamedTuple):
    """A process asks SQS or Connect for something."""

    operation: str
    arguments: tuple[Any, ...]


class End(NamedTuple):
    """A process has come to its end; of the function, with the ids that are not done."""

    failed: tuple[str, ...]


class Waiting(BaseException):
    """There is no answer yet. No code of the project may catch this."""


class Script:
    """Gives the answers so far, and notes the first call that has none."""

    def __init__(self, answers: tuple[tuple[object, ...], ...]) -> None:
        self._answers = list(answers)
        self.call: Call | None = None

    def ask(self, operation: str, *arguments: object) -> tuple[object, ...]:
        """The answer to a call.

        Raises:
            Waiting: There is none yet.
            botocore.exceptions.ClientError, BotoCoreError: That is the answer.
        """
        if self.call is None and self._answers:
            answer = self._answers.pop(0)
            if answer[0] == "lost":
                raise ConnectionClosedError(endpoint_url="x")
            if answer[0] in REFUSALS:
                raise REFUSALS[answer[0]]
            if answer[0] == "condition":
                raise condition_failed(thawed(answer[1]) if answer[1] else None)  # type: ignore[arg-type]
            return answer
        self.call = self.call or Call(operation, arguments)
        raise Waiting


class ScriptedConnect:
    """Connect, as the function sees it."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def start_outbound_email_contact(self, **request: Any) -> Any:
        """Ask for the answer."""
        contact_id = request["ContactId"]
        if contact_id in BODIES:
            self._script.ask("connect", request["ClientToken"], BODIES[contact_id])
        else:
            text = BODIES[request["EmailMessage"]["RawMessage"]["Subject"]]
            self._script.ask("attempt", request["ClientToken"], contact_id, text)
        return {"ContactId": contact_id, "ResponseMetadata": {"RequestId": ""}}

    def create_contact(self, **_: Any) -> Any:
        """Ask which contact was made."""
        return {"ContactId": self._script.ask("create")[1], "ResponseMetadata": {}}

    def stop_contact(self, *, ContactId: str, **_: Any) -> Any:  # noqa: N803
        """Ask whether it is stopped."""
        self._script.ask("stop", ContactId)

    def describe_contact(self, *, ContactId: str, **_: Any) -> Any:  # noqa: N803
        """Ask whether it is known."""
        self._script.ask("describe", ContactId)
        return {"Contact": {}}


class ScriptedDynamo:
    """DynamoDB, as the function sees it."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def get_item(self, *, Key: Any, **_: Any) -> Any:  # noqa: N803
        """Ask for the item."""
        item: Any = self._script.ask("get", Key[KEY]["S"])[1]
        return {"ConsumedCapacity": {}, **({"Item": thawed(item)} if item else {})}

    def update_item(self, **request: Any) -> Any:
        """Ask whether it is written."""
        values = frozen(request["ExpressionAttributeValues"])
        expressions = request["UpdateExpression"], request["ConditionExpression"]
        answer: Any = self._script.ask("update", request["Key"][KEY]["S"], *expressions, values)
        return {"Attributes": thawed(answer[1])}

    def describe_table(self, **_: Any) -> Any:
        """Ask when it was created."""
        created: Any = self._script.ask("table")[1]
        return {"Table": {"CreationDateTime": datetime.fromtimestamp(created, UTC)}}


class ScriptedSqs:
    """SQS, as the function and the operators see it; parameters have boto3's names."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def send_message(self, *, QueueUrl: str, MessageBody: str, MessageAttributes: Any, **_: Any) -> Any:  # noqa: N803
        """Ask whether it is taken."""
        self._script.ask("send", QueueUrl, ((MessageBody, flat(MessageAttributes)),))

    def change_message_visibility(self, *, ReceiptHandle: str, VisibilityTimeout: int, **_: Any) -> None:  # noqa: N803
        """Ask whether it is hidden or shown."""
        self._script.ask("hide" if VisibilityTimeout else "show", ReceiptHandle)

    def get_queue_attributes(self, **_: Any) -> Any:
        """Counts are not asked for: nothing that is promised rests on them."""
        return {"Attributes": {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"}}

    def receive_message(self, **_: Any) -> Any:
        """Ask which letters are there."""
        letters = self._script.ask("receive")[1]
        return {"Messages": [letter_of(letter) for letter in cast("tuple[Message, ...]", letters)]}

    def change_message_visibility_batch(self, *, Entries: Any, **_: Any) -> Any:  # noqa: N803
        """Letters are given back when the process ends."""

    def send_message_batch(self, *, QueueUrl: str, Entries: Any) -> Any:  # noqa: N803
        """Ask whether they are taken."""
        sent = tuple((entry["MessageBody"], flat(entry["MessageAttributes"])) for entry in Entries)
        answer = self._script.ask("send", QueueUrl, sent)
        failed = [{"Id": entry["Id"], "Code": "InternalFailure"} for entry in Entries if answer[0] == "refused"]
        return {"Successful": [], "Failed": failed}

    def delete_message_batch(self, *, QueueUrl: str, Entries: Any) -> Any:  # noqa: N803
        """Ask whether they are deleted."""
        answer = self._script.ask("delete", QueueUrl, tuple(entry["ReceiptHandle"] for entry in Entries))
        failed = [{"Id": entry["Id"], "Code": "InternalFailure"} for entry in Entries if answer[0] == "refused"]
        return {"Successful": [], "Failed": failed}


def flat(attributes: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Attributes as hashable data. What a detail says decides nothing."""
    texts = {name: value["StringValue"] for name, value in attributes.items() if not name.endswith(".Detail")}
    return tuple(sorted(texts.items()))


def letter_of(message: Message) -> dict[str, Any]:
    """A letter in an answer of ReceiveMessage."""
    source: Any = {"DeadLetterQueueSourceArn": "arn"} if message.was_moved else {}
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.id,
        "Body": message.body,
        "Attributes": {"SentTimestamp": str(message.sent_at * 1000), **source},
        "MessageAttributes": {n: {"DataType": "String", "StringValue": text} for n, text in message.attributes},
    }


def record_of(message: Message) -> dict[str, Any]:
    """A message in the function's event."""
    return {
        "messageId": message.id,
        "receiptHandle": message.id,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(message.sent_at * 1000),
            "ApproximateFirstReceiveTimestamp": str(message.first_received_at * 1000),
        },
        "messageAttributes": {name: string_attribute(text) for name, text in message.attributes},
    }


class Draws(Random):
    """Chance, without any: no backoff is longer than another here, and each delivery has marks of its own."""

    def __init__(self, prefix: int) -> None:
        super().__init__()
        self._prefix, self._drawn = prefix, 0

    def uniform(self, a: float, b: float) -> float:
        """Draw the middle."""
        return (a + b) / 2

    def getrandbits(self, bits: int) -> int:
        """Draw what was never drawn."""
        assert bits == 128
        self._drawn += 1
        return self._prefix << 32 | self._drawn


LOG = io.StringIO()
LOGGER = Logger(service="explore", stream=LOG)
OBSERVABILITY = Observability(LOGGER, Metrics(namespace="Explore", service="explore"), Tracer(disabled=True))


def unused() -> Any:
    raise AssertionError("no reply here is in S3, and no event bus is told")


NOWHERE = Path(os.devnull).open("w")  # noqa: SIM115 - for as long as the search runs


def function(script: Script, messages: tuple[Message, ...], now: int, copy: int) -> End:
    """One invocation."""
    clock = FakeClock()
    queue = ScriptedSqs(script)
    connect: Any = ScriptedConnect(script)
    table: Any = ScriptedDynamo(script)
    delivery = create_delivery(
        SETTINGS,
        OBSERVABILITY,
        connect=connect,
        sqs=lambda: queue,  # type: ignore[arg-type, return-value]  # the two operations that are called
        s3=unused,
        events=unused,
        draft_clients=lambda: (connect, connect, table),
        now=lambda: now,
        monotonic=clock,
        sleep=clock.sleep,
        rng=Draws(mark_prefix(messages, copy)),
    )
    answer = delivery.deliver_all([record_of(message) for message in messages], lambda: 600)
    LOG.truncate(0)
    return End(tuple(str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]))


class ScriptedAccount:
    """The stack, as the operators' commands see it."""

    queues = Queues(QUEUE, DEAD)
    payloads = courier_payloads.Payloads(None, unused)
    dead_letters = Account.dead_letters

    def __init__(self, script: Script) -> None:
        self.sqs = ScriptedSqs(script)


def replay(script: Script, now: int, force: bool) -> End:
    """`courier dlq replay --yes`."""
    account: Any = ScriptedAccount(script)
    selection = Selection(Filters(), now, for_replay=True, force=force)
    ReplayRun(account, selection, now=lambda: now).replay_remaining()
    return End(())


def renew(script: Script, now: int) -> End:
    """`courier dlq renew`, of all letters that are there now."""
    account: Any = ScriptedAccount(script)
    with account.dead_letters() as reader:
        for letters in reader.batches():
            meant = [letter for letter in letters if letter.sent_at < now]
            move(account, reader, DEAD, meant, [message_for_dead_letter_queue(letter) for letter in meant])
    return End(())


def edit(script: Script, letter_id: str, now: int) -> End:
    """`courier dlq edit`: a refused reply becomes a sound one."""
    account: Any = ScriptedAccount(script)
    letter = edit_command.fetch_and_hold(account, letter_id)
    message: Any = edited_message(letter, EDITED[letter.body], now)
    edit_command.send_and_delete(account, letter, message)
    return End(())


RUN: dict[str, Any] = {"function": function, "replay": replay, "renew": renew, "edit": edit}
_REMEMBERED: dict[tuple[object, ...], Call | End] = {}


def next_step(process: Process) -> Call | End:
    """What a process asks next, or how it ended."""
    key = (process.kind, process.given, process.answers)
    if (known := _REMEMBERED.get(key)) is None:
        known = _REMEMBERED[key] = _run(process)
    return known


def _run(process: Process) -> Call | End:
    script = Script(process.answers)
    with ExitStack() as quiet:
        quiet.enter_context(redirect_stdout(NOWHERE))
        quiet.enter_context(redirect_stderr(NOWHERE))
        try:
            return cast("End", RUN[process.kind](script, *process.given))
        except Waiting:
            assert script.call is not None
            return script.call
        except (typer.Exit, ClientError, BotoCoreError):
            return script.call or End(())
