"""Breaks what can break while replies are on their way, at random from a seed."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from local.account import Account, Reply, account
from local.connect_control import ConnectControl
from local.event_source import Environment
from local.redrive import counts_of, redrive
from local.runtime_api import Failed, Returned
from local.sqs_event import Record
from local.sqs_proxy import Kind
from local.stack import LocalCourier

VISIBILITY_SECONDS = 15
"""Instead of the deployed minutes, so that what a crash left behind comes back within the test; a batch takes less."""
PATIENCE = 300
"""Seconds without any progress after which a run is given up."""
CONNECT_FAULTS = (
    {"fault": "drop_before", "times": None, "probability": 0.03},
    {"fault": "drop_after", "times": None, "probability": 0.05},
    {"fault": "garbage_after", "times": None, "probability": 0.02},
    {"fault": "internal_error", "times": None, "probability": 0.04},
    {"fault": "unavailable", "times": None, "probability": 0.02},
    {"fault": "throttle", "times": None, "probability": 0.02},
    {"fault": "too_many_requests", "times": None, "probability": 0.01},
    {"fault": "access_denied", "times": 15},
    {"fault": "quota_exceeded", "times": 2},
    {"fault": "hang", "times": 2, "seconds": 30},
    {"fault": "hang_after", "times": 2, "seconds": 30},
)
SQS_FAULTS: tuple[tuple[str, Kind, float], ...] = (
    ("ChangeMessageVisibility", "error", 0.05),
    ("ChangeMessageVisibility", "drop_before", 0.05),
    ("SendMessage", "error", 0.10),
    ("SendMessage", "throttle", 0.05),
    ("SendMessage", "drop_before", 0.05),
    ("SendMessage", "drop_after", 0.15),
    ("DeleteMessage", "error", 0.05),
)
KILLS_EVERY = 2.0
"""Seconds between two SIGKILLs, on average."""
DOUBLED = 0.03
"""Share of received messages that SQS hands to a second environment at once."""


def replies(count: int, rng: Random) -> Iterator[Reply]:
    """Make replies: most are sound, some break the contract, some name a contact that does not exist (yet)."""
    for n in range(count):
        label = f"reply-{n:04}"
        kind = rng.choices(("sound", "invalid", "unknown", "mended"), weights=(86, 6, 4, 4))[0]
        attributes = {f"own-{a}": "x" * rng.randint(1, 50) for a in range(rng.choice((0, 0, 0, 1, 3, 10)))}
        if rng.random() < 0.1 and len(attributes) < 10:  # noqa: PLR2004 - SQS's limit
            attributes["ClientToken"] = f"producer-{label}"
        yield Reply(label, invalid_body(label, rng) if kind == "invalid" else sound_body(label, rng), kind, attributes)


def sound_body(label: str, rng: Random) -> str:
    """A reply that the contract takes."""
    text = {"Subject": f"Re: {label}", "Body": "word " * rng.randint(1, 2000), "ContentType": "text/plain"}
    return json.dumps(
        {
            "ContactId": label,
            "DestinationEmailAddress": {"EmailAddress": f"{label}@customer.example"},
            "EmailMessage": {"MessageSourceType": "RAW", "RawMessage": text},
        }
    )


def invalid_body(label: str, rng: Random) -> str:
    """A body that nobody can send."""
    return rng.choice((label, f'{{"ContactId": "{label}"', f'{{"ContactId": "{label}"}}', f'["{label}"]', f'"{label}"'))


@dataclass
class Storm:
    """Strikes a running system; made before it, since it stands around the environments.

    Attributes:
        rng: Where all chance comes from.
        doubles_own_tokens: Whether messages with a producer's token may be handed to two environments at once.
    """

    rng: Random
    doubles_own_tokens: bool = True
    struck: Counter[str] = field(default_factory=Counter)
    courier: LocalCourier | None = None

    def around(self, environment: Environment) -> Environment:
        """Put the storm around an execution environment."""
        return Struck(environment, self)

    def blow(self, courier: LocalCourier, stopping: threading.Event) -> None:
        """Kill environments at random until told to stop."""
        while not stopping.wait(self.rng.expovariate(1 / KILLS_EVERY)):
            self.rng.choice(courier.environments).kill()

    def hand_out_twice(self, record: Record) -> None:
        """Now and then let SQS hand a message out again while it is being delivered."""
        if self.courier is None or self.rng.random() >= DOUBLED:
            return
        if "ClientToken" in record["messageAttributes"] and not self.doubles_own_tokens:
            return
        self.struck["handed out twice"] += 1
        self.courier.aws.sqs.change_message_visibility(
            QueueUrl=self.courier.queue_url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
        )


class Struck:
    """An execution environment in the storm."""

    def __init__(self, environment: Environment, storm: Storm) -> None:
        self._environment = environment
        self._storm = storm

    def invoke(self, event: Mapping[str, object], /) -> Returned | Failed:
        """Run the function on one event, some of whose messages others may get as well."""
        records: list[Record] = event["Records"]  # type: ignore[assignment] # what local/sqs_event.py puts there
        for record in records:
            self._storm.hand_out_twice(record)
        outcome = self._environment.invoke(event)
        if isinstance(outcome, Failed):
            self._storm.struck[outcome.error_type] += 1
        return outcome

    def kill(self) -> None:
        """Cut off what it runs."""
        self._environment.kill()


def run(courier: LocalCourier, storm: Storm, count: int, *, repeat: str) -> Account:
    """Send replies through the storm, mend some causes, redrive again and again, and account for every reply.

    Args:
        courier: The running system, with `storm.around` around its environments.
        storm: What strikes it.
        count: Replies.
        repeat: What Connect answers to a repeated token: "same_contact" or "conflict".
    """
    connect = ConnectControl(courier.connect_url)
    connect.reset()
    seed = storm.rng.getrandbits(32)
    connect.settings(rate=1000, burst=1000, latency_ms=150, repeat=repeat, used_draft="send", seed=seed)
    courier.aws.sqs.set_queue_attributes(
        QueueUrl=courier.queue_url, Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
    )
    given = list(replies(count, storm.rng))
    connect.draft(*(reply.label for reply in given if reply.kind in {"sound", "invalid"}))
    storm.courier = courier
    with striking(courier, connect, storm):
        for reply in given:
            courier.aws.sqs.send_message(
                QueueUrl=courier.queue_url,
                MessageBody=reply.body,
                MessageAttributes={n: {"DataType": "String", "StringValue": v} for n, v in reply.attributes.items()},
            )
        wait_until_empty(courier, connect)
        connect.draft(*(reply.label for reply in given if reply.kind == "mended"))
        for _ in range(3):
            redrive(courier.aws.sqs, courier.dead_letter_queue_url, courier.queue_url)
            wait_until_empty(courier, connect)
    return account(given, courier, connect)


@contextmanager
def striking(courier: LocalCourier, connect: ConnectControl, storm: Storm) -> Iterator[None]:
    """Let the storm blow, and end it."""
    for fault in CONNECT_FAULTS:
        connect.fail(**fault)
    courier.sqs_faults.rng = Random(storm.rng.getrandbits(32))  # own draws: requests come in no fixed order
    for operation, kind, probability in SQS_FAULTS:
        courier.sqs_faults.fail(operation, kind, probability=probability)
    stopping = threading.Event()
    killer = threading.Thread(target=storm.blow, args=(courier, stopping), name="storm")
    killer.start()
    try:
        yield
    finally:
        stopping.set()
        killer.join()
        courier.sqs_faults.clear()
        connect.clear_faults()


def wait_until_empty(courier: LocalCourier, connect: ConnectControl) -> None:
    """Wait until nothing is on the queue, in flight or waiting for its backoff.

    Raises:
        TimeoutError: Nothing went on for too long.
    """
    seen, since = None, time.monotonic()
    while any(counts := counts_of(courier.aws.sqs, courier.queue_url)):
        now = (counts, len(connect.calls))
        if now != seen:
            seen, since = now, time.monotonic()
        if time.monotonic() - since > PATIENCE:
            raise TimeoutError(f"the queue is not empty, and nothing goes on: (visible, in flight) are {counts}")
        time.sleep(0.2)
