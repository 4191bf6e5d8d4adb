"""``make demo``: shows what happens to valid and invalid replies between the queue and Connect."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.aws import ROOT
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.function.execution_environment import LogLine
from local.outcomes import BUS, OutcomeQueue, subscribe
from local.replies import reply
from local.sqs import counts_of, messages, token_of
from local.system import LocalCourier, running

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

SAMPLES = ROOT / "events"
UNKNOWN_CONTACT = "unknown-contact"
SURGE = 10
STORY = {
    "reply_sent": "sent",
    "reply_retried": "failed for now ({cause}): back on the queue for {retry_in_seconds} s",
    "attempt_failed": "failed for now ({cause}): calling again in {retry_in_seconds} s",
    "reply_handed_back": "back on the queue without an attempt",
    "reply_dead_lettered": "moved to the dead-letter queue: {reason}",
    "draft_stopped": "its draft is stopped",
    "draft_not_stopped": "its draft could not be stopped",
    "dead_letter_failed": "refused by the dead-letter queue ({error})",
}
"""By log event."""


class DemoError(Exception):
    """The demo did not show what it must show. The message says what happened instead."""


@dataclass(frozen=True)
class Sample:
    """A message for the queue, and its name in the output."""

    label: str
    body: str
    attributes: dict[str, "MessageAttributeValueTypeDef"] = field(default_factory=dict)


def samples() -> Iterator[Sample]:
    """Yield the messages in the files of events/."""
    for path in sorted(SAMPLES.glob("*.json")):
        records = json.loads(path.read_text())["Records"]
        for n, record in enumerate(records, start=1):
            attributes: dict[str, MessageAttributeValueTypeDef] = {
                name: {"DataType": value["dataType"], "StringValue": value["stringValue"]}
                for name, value in record["messageAttributes"].items()
            }
            yield Sample(path.stem if len(records) == 1 else f"{path.stem} {n}", record["body"], attributes)


def plain(label: str) -> Sample:
    """Return a valid reply whose draft the function makes."""
    return Sample(label, json.dumps(reply(label, makes_draft=True)))


def contact_of(sample: Sample) -> str | None:
    """Return the id of the draft that the producer has made, or None if the body has none or is not valid JSON."""
    try:
        contact_id: str = json.loads(sample.body)["ContactId"]
    except (ValueError, KeyError):
        return None
    return contact_id


@dataclass
class Demo:
    """The demo, and the replies that it has put on the queue.

    Attributes:
        labels: The replies' names by message id.
        tokens: The replies' names by client token. A replay changes the message id, but not the token.
    """

    labels: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def play(self, courier: LocalCourier, connect: ConnectControl) -> None:
        """Run all scenes and account for every reply.

        Raises:
            DemoError: A reply was lost, sent twice, sent with another token, or is in two places, or a draft is left.
        """
        print(f"\nDeployed. While the demo runs, {courier.connect_url} shows the sent emails.")
        outcomes = subscribe(courier.aws)
        self.send(
            courier,
            connect,
            "1. Sample replies from events/: some are valid, and some cannot be sent",
            *samples(),
        )
        connect.fail("drop_after")
        self.send(
            courier,
            connect,
            "2. Connect's answer is lost. The function calls again with the same token: no second email",
            plain("lost-answer"),
        )
        connect.fail("throttle", times=3)
        self.send(
            courier,
            connect,
            f"3. {SURGE} replies at once, while another caller uses the quota too (2 calls a second, burst of 5)",
            *(plain(f"surge-{n:02}") for n in range(1, SURGE + 1)),
        )
        replayed = self.fix_and_replay(courier, connect)
        show_outcomes(outcomes)
        self.account(courier, connect, replayed)

    def send(self, courier: LocalCourier, connect: ConnectControl, title: str, *replies: Sample) -> None:
        """Put replies on the queue, and wait until each is sent or on the dead-letter queue."""
        print(f"\n{title}")
        courier.poller.pause()  # until all messages have the labels that print_log needs
        for sample in replies:
            contact_id = contact_of(sample)
            if contact_id and sample.label != UNKNOWN_CONTACT:
                connect.draft(contact_id)
            message_id = courier.aws.sqs.send_message(
                QueueUrl=courier.queue_url, MessageBody=sample.body, MessageAttributes=sample.attributes
            )["MessageId"]
            self.labels[message_id] = sample.label
            own_token = sample.attributes.get("ClientToken")
            self.tokens[own_token["StringValue"] if own_token else message_id] = sample.label
        courier.poller.resume()
        wait_until_empty(courier)

    def fix_and_replay(self, courier: LocalCourier, connect: ConnectControl) -> int:
        """Fix the cause of a dead letter, and replay it as an operator does. Return how many were replayed."""
        print(f"\n4. An operator creates the missing contact of {UNKNOWN_CONTACT} and replays the dead letter,")
        print("   which gets a new message id and keeps its client token")
        fixed = next(sample for sample in samples() if sample.label == UNKNOWN_CONTACT)
        connect.draft(contact_of(fixed) or "")
        run_courier(courier, "status")
        run_courier(courier, "dlq", "list")
        waiting, _ = counts_of(courier.aws.sqs, courier.dead_letter_queue_url)
        run_courier(courier, "dlq", "replay", "--reason", "NotFound", "--yes", "--wait")
        wait_until_empty(courier)
        still_waiting, _ = counts_of(courier.aws.sqs, courier.dead_letter_queue_url)
        return waiting - still_waiting

    def account(self, courier: LocalCourier, connect: ConnectControl, replayed: int) -> None:
        """Compare the replies and the drafts with Connect's record and the dead-letter queue."""
        accepted = Counter(email["client_token"] for email in connect.sent)
        held = list(messages(courier.aws.sqs, courier.dead_letter_queue_url))
        letters = Counter(map(token_of, held))
        places = accepted + letters
        lost = [label for token, label in self.tokens.items() if token not in places]
        twice = [self.tokens.get(token, token) for token, count in places.items() if count > 1]
        statuses = Counter(call["status"] for call in connect.calls)
        made, stopped = (
            [call["contact_id"] for call in connect.calls_of(operation) if call["accepted"]]
            for operation in ("CreateContact", "StopContact")
        )
        of_letters = json.dumps([[letter["Body"], letter["MessageAttributes"]] for letter in held], default=str)
        left = [contact_id for contact_id in connect.drafts if contact_id not in of_letters]
        lost_or_twice = [f"lost: {label}" for label in lost] + [f"more than once: {label}" for label in twice]
        print(
            f"\n{len(self.tokens)} replies: {len(accepted)} sent, {len(letters)} on the dead-letter queue, "
            "each with its client token and a reason."
        )
        print(
            f"Connect received {statuses.total()} calls and throttled {statuses[429]} of them. "
            "Invalid replies never reach Connect."
        )
        print(
            f"The function made {len(made)} drafts just before they were sent: {len(sent_with(connect, made))} were "
            f"sent, {len(stopped)} stopped. At most {connect.active['peak_drafts']} drafts existed at once."
        )
        print("Each call had the reply's own client token: the attribute ClientToken, or the first message id.")
        print(
            f"demo: sent={len(accepted)} dead_lettered={len(letters)} replayed={replayed} "
            f"duplicates={len(twice)} lost={len(lost)}"
        )
        unknown = {call["client_token"] for call in connect.calls} - self.tokens.keys()
        if lost_or_twice or unknown or left:
            tokens = (f"a call with an unknown token: {token}" for token in unknown)
            drafts = (f"a draft that no letter has: {contact_id}" for contact_id in left)
            raise DemoError("; ".join([*lost_or_twice, *tokens, *drafts]))
        if UNKNOWN_CONTACT not in {self.tokens[token] for token in accepted}:
            raise DemoError(f"{UNKNOWN_CONTACT} was fixed and replayed, but not sent")

    def print_log(self, line: LogLine) -> None:
        """Print a line of the function's log in words, if it is about a message."""
        try:
            fields: dict[str, Any] = json.loads(line.line)
            story = STORY[fields["message"]].format(**fields)
        except (ValueError, KeyError, TypeError):
            return
        label = self.labels.get(fields["message_id"]) or self.tokens.get(fields["client_token"], fields["message_id"])
        again = f" (receive {fields['receive_count']} of its message)" if fields["receive_count"] > 1 else ""
        print(f"   {label:24} {story}{again}")


def sent_with(connect: ConnectControl, contact_ids: list[str]) -> list[str]:
    """Return which of these contacts were sent."""
    sent = {email["contact_id"] for email in connect.sent}
    return [contact_id for contact_id in contact_ids if contact_id in sent]


def show_outcomes(outcomes: OutcomeQueue) -> None:
    """Run a producer's program that receives outcomes, and print some of its output.

    Raises:
        DemoError: The program failed or printed nothing.
    """
    print("\n5. A producer receives the outcomes from the event bus (examples/hear_outcomes.py)")
    command = [sys.executable, str(ROOT / "examples" / "hear_outcomes.py")]
    environment = {**outcomes.aws.program_environment, "OUTCOME_QUEUE_URL": outcomes.url}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    lines = run.stdout.splitlines()
    if run.returncode or not lines:
        raise DemoError(f"examples/hear_outcomes.py ended with status {run.returncode}: {run.stderr}")
    for line in [*lines[:2], "…", *lines[-2:]]:
        print(f"   | {line.rstrip()}")
    print(f"   {len(lines)} outcomes in all, two of them for the replayed reply")


def run_courier(courier: LocalCourier, *arguments: str) -> None:
    """Run the operators' command.

    Raises:
        DemoError: The command failed.
    """
    print(f"   $ courier {' '.join(arguments)}")
    command = [sys.executable, "-m", "courier", *arguments]
    run = subprocess.run(
        command,
        cwd=ROOT,
        env={**courier.aws.program_environment, "COLUMNS": "100", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # in the order that a terminal shows
        text=True,
        check=False,
    )
    for line in run.stdout.splitlines():
        print(f"   | {line}")
    if run.returncode:
        raise DemoError(f"courier {arguments[0]} ended with status {run.returncode}")


def demo() -> int:
    """Run the demo. Return the exit status."""
    print("This demo sends replies through reply-courier on this machine, and accounts for every one.\n")
    scenes, deployment = Demo(), Deployment()
    try:
        with running(deployment.print_line, scenes.print_log, context={"eventBusName": BUS}, with_cdk=True) as courier:
            scenes.play(courier, ConnectControl(courier.connect_url))
    except (DemoError, TimeoutError) as error:
        print(f"\nThe demo failed: {error}")
        return 1
    except RuntimeError as error:
        print("\n".join([*deployment.lines, "", f"The demo failed: {error}"]))
        return 1
    print("\nNext: run `make local` to try your own replies and commands.")
    return 0


@dataclass
class Deployment:
    """Prints the commands of the deployment, and keeps their output in case one fails."""

    lines: list[str] = field(default_factory=list)

    def print_line(self, line: str) -> None:
        """Take a command ("$ …") or a line of its output."""
        self.lines.append(line)
        if line.startswith("$ "):
            print(f"   $ {' '.join(line.split()[1:3])} …")
