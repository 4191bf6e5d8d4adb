"""What the demo shows, scene by scene."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from local.connect.control_client import ConnectControl
from local.demo.printing import DemoError, print_line
from local.demo.programs import hear_outcomes, run_courier
from local.demo.samples import Sample, contact_of, plain, samples
from local.drain import wait_until_empty
from local.function.execution_environment import LogLine
from local.outcomes import subscribe
from local.sqs.redrive import counts_of, messages, token_of
from local.system import LocalCourier

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
