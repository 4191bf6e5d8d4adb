"""``make demo``: shows what happens to replies, valid and invalid, between the queue and Connect."""

import json
import subprocess
import sys
import tempfile
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


class DemoError(Exception):
    """The demo did not show what it should; the message says what it showed instead."""


def print_line(text: str) -> None:
    """Print a line at once, even into a pipe."""
    print(text, flush=True)


SAMPLES = ROOT / "events"


@dataclass(frozen=True)
class Sample:
    """A message to put on the queue, and its name in the output."""

    label: str
    body: str
    attributes: dict[str, "MessageAttributeValueTypeDef"] = field(default_factory=dict)


def samples() -> Iterator[Sample]:
    """The messages of events/, as they would be sent to the queue."""
    for path in sorted(SAMPLES.glob("*.json")):
        records = json.loads(path.read_text())["Records"]
        for n, record in enumerate(records, start=1):
            attributes: dict[str, MessageAttributeValueTypeDef] = {
                name: {"DataType": value["dataType"], "StringValue": value["stringValue"]}
                for name, value in record["messageAttributes"].items()
            }
            yield Sample(path.stem if len(records) == 1 else f"{path.stem} {n}", record["body"], attributes)


def plain(label: str) -> Sample:
    """A valid reply to the contact of that name."""
    return Sample(label, json.dumps(reply(label)))


def contact_of(sample: Sample) -> str | None:
    """The contact that a sample replies to, if its body can be parsed."""
    try:
        contact_id: str = json.loads(sample.body)["ContactId"]
    except (ValueError, KeyError):
        return None
    return contact_id


UNKNOWN_CONTACT = "unknown-contact"
SURGE = 10
STORY = {
    "reply_sent": "sent",
    "reply_retried": "not now ({cause}): back to the queue for {retry_in_seconds} s",
    "attempt_failed": "not now ({cause}): called again in {retry_in_seconds} s",
    "reply_handed_back": "handed back to the queue, untried",
    "reply_dead_lettered": "on the dead-letter queue: {reason}",
    "dead_letter_failed": "refused by the dead-letter queue ({error})",
}


@dataclass
class Demo:
    """The replies put on the queue so far.

    Attributes:
        labels: Names of messages by id.
        tokens: Names of replies by client token, which stays the same when the message id changes.
    """

    labels: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def play(self, courier: LocalCourier, connect: ConnectControl) -> None:
        """Run all scenes, and account for every reply.

        Raises:
            DemoError: A reply was lost, sent twice, sent under another token, or is in two places.
        """
        print_line(f"\nDeployed. While this runs, emails sent are shown on {courier.connect_url}")
        heard = subscribe(courier.aws)
        self.send(
            courier,
            connect,
            "1. Sample replies from events/: good ones, and some that cannot be sent",
            *samples(),
        )
        connect.fail("drop_after", contact_id="lost-answer")
        self.send(
            courier,
            connect,
            "2. Connect's answer is lost: called again with the same token, it sends no second email",
            plain("lost-answer"),
        )
        connect.fail("throttle", times=3)
        self.send(
            courier,
            connect,
            f"3. A surge of {SURGE}, while another caller uses the quota too (2 calls a second, burst of 5)",
            *(plain(f"surge-{n:02}") for n in range(1, SURGE + 1)),
        )
        replayed = self.mend_and_replay(courier, connect)
        hear_outcomes(heard)
        self.account(courier, connect, replayed)

    def send(self, courier: LocalCourier, connect: ConnectControl, title: str, *replies: Sample) -> None:
        """Put replies on the queue and wait until each is sent or on the dead-letter queue."""
        print_line(f"\n{title}")
        courier.poller.pause()  # until all messages have labels, which their log lines need
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

    def mend_and_replay(self, courier: LocalCourier, connect: ConnectControl) -> int:
        """Fix the cause of one dead letter, and replay it as an operator does; return how many were replayed."""
        print_line(f"\n4. An operator looks, fixes the cause of {UNKNOWN_CONTACT} (its contact exists now), and")
        print_line("   replays it: the reply gets a new message id and keeps its token")
        mended = next(sample for sample in samples() if sample.label == UNKNOWN_CONTACT)
        connect.draft(contact_of(mended) or "")
        run_courier(courier, "status")
        run_courier(courier, "dlq", "list")
        waiting, _ = counts_of(courier.aws.sqs, courier.dead_letter_queue_url)
        run_courier(courier, "dlq", "replay", "--reason", "NotFound", "--yes", "--wait")
        wait_until_empty(courier)
        still_waiting, _ = counts_of(courier.aws.sqs, courier.dead_letter_queue_url)
        return waiting - still_waiting

    def account(self, courier: LocalCourier, connect: ConnectControl, replayed: int) -> None:
        """Compare the replies sent to the queue with Connect's record and the dead-letter queue."""
        accepted = Counter(email["client_token"] for email in connect.sent)
        letters = Counter(token_of(letter) for letter in messages(courier.aws.sqs, courier.dead_letter_queue_url))
        places = accepted + letters
        lost = [label for token, label in self.tokens.items() if token not in places]
        twice = [self.tokens.get(token, token) for token, count in places.items() if count > 1]
        statuses = Counter(call["status"] for call in connect.calls)
        lost_or_twice = [f"lost: {label}" for label in lost] + [f"more than once: {label}" for label in twice]
        print_line(
            f"\n{len(self.tokens)} replies came in: {len(accepted)} are sent, {len(letters)} wait on the dead-letter "
            f"queue, each with its token and reason."
        )
        print_line(
            f"Connect was called {statuses.total()} times, {statuses[429]} of them throttled; "
            "broken replies never reach it."
        )
        print_line("Each call had its reply's own token, the message id or the attribute ClientToken, replayed or not.")
        print_line(
            f"demo: sent={len(accepted)} dead_lettered={len(letters)} replayed={replayed} "
            f"duplicates={len(twice)} lost={len(lost)}"
        )
        unknown = {call["client_token"] for call in connect.calls} - self.tokens.keys()
        if lost_or_twice or unknown:
            raise DemoError(
                "; ".join([*lost_or_twice, *(f"called with an unknown token: {token}" for token in unknown)])
            )
        if UNKNOWN_CONTACT not in {self.tokens[token] for token in accepted}:
            raise DemoError(f"{UNKNOWN_CONTACT} was mended and replayed, but not sent")

    def print_log(self, line: LogLine) -> None:
        """Print in one line what the function logged about a message."""
        try:
            said: dict[str, Any] = json.loads(line.line)
            story = STORY[said["message"]].format(**said)
        except (ValueError, KeyError, TypeError):
            return
        label = self.labels.get(said["message_id"]) or self.tokens.get(said["client_token"], said["message_id"])
        again = f" (receive {said['receive_count']} of its message)" if said["receive_count"] > 1 else ""
        print_line(f"   {label:24} {story}{again}")


def hear_outcomes(heard: OutcomeQueue) -> None:
    """Print the outcomes as a producer's own program hears of them.

    Raises:
        DemoError: It failed, or heard nothing.
    """
    print_line("\n5. What their producer hears of it, from the event bus (examples/hear_outcomes.py)")
    command = [sys.executable, str(ROOT / "examples" / "hear_outcomes.py")]
    environment = {**heard.aws.program_environment, "OUTCOME_QUEUE_URL": heard.url}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    lines = run.stdout.splitlines()
    if run.returncode or not lines:
        raise DemoError(f"examples/hear_outcomes.py ended with status {run.returncode}: {run.stderr}")
    for line in [*lines[:2], "…", *lines[-2:]]:
        print_line(f"   | {line.rstrip()}")
    print_line(f"   {len(lines)} outcomes in all, the replayed reply's two among them")


def run_courier(courier: LocalCourier, *arguments: str) -> None:
    """Run the operators' command.

    Raises:
        DemoError: It failed.
    """
    print_line(f"   $ courier {' '.join(arguments)}")
    command = [sys.executable, "-m", "courier", *arguments]
    with tempfile.TemporaryDirectory(prefix="reply-courier-") as journal:  # and not the one of whoever runs this
        own = {"COLUMNS": "100", "COURIER_JOURNAL": f"{journal}/journal.jsonl", "PYTHONUNBUFFERED": "1"}
        environment = {**courier.aws.program_environment, **own}
        run = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # in the order in which a person sees them
            text=True,
            check=False,
        )
    for line in run.stdout.splitlines():
        print_line(f"   | {line}")
    if run.returncode:
        raise DemoError(f"courier {arguments[0]} ended with status {run.returncode}")


def demo() -> int:
    """Run the demo; return the exit status."""
    print_line("Replies go through all of reply-courier on this machine, and every one is accounted for.\n")
    scenes, deployment = Demo(), Deployment()
    try:
        with running(deployment.print_line, scenes.print_log, context={"eventBusName": BUS}, with_cdk=True) as courier:
            scenes.play(courier, ConnectControl(courier.connect_url))
    except (DemoError, TimeoutError) as failed:
        print_line(f"\nThe demo failed: {failed}")
        return 1
    except RuntimeError as failed:
        print_line("\n".join([*deployment.lines, "", f"The demo failed: {failed}"]))
        return 1
    print_line("\nNext: make local keeps it running, for replies and commands of your own.")
    return 0


@dataclass
class Deployment:
    """Prints the commands of the deployment, and keeps what they say, which a person wants to read if one fails."""

    lines: list[str] = field(default_factory=list)

    def print_line(self, line: str) -> None:
        """Take a command ("$ …") or a line of its output."""
        self.lines.append(line)
        if line.startswith("$ "):
            print_line(f"   $ {' '.join(line.split()[1:3])} …")
