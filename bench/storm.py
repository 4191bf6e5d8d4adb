"""A storm: replies go through every fault at once, drawn at random from a seed."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING

from bench.tally import Tally, false_events, letters, lost_events, missing_events, tally
from local.connect.control_client import ConnectControl
from local.connect.settings import Settings
from local.drain import wait_until_empty
from local.function.event_source_mapping import Environment
from local.function.runtime_api import Failed, Returned
from local.function.sqs_event import Record
from local.outcomes import BUS, subscribe
from local.replies import SENDERS, Reply, replies
from local.sqs import redrive
from local.sqs_faults import Kind
from local.system import LocalCourier, running

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

REDRIVES = 2
DEFAULT_SENDERS = Settings().email_addresses


@dataclass(frozen=True)
class World:
    """What AWS doesn't document, and what a storm does besides.

    Attributes:
        repeat: What Connect answers to a repeated token: 200 ("same_contact") or 409 ("conflict").
        drafts: The share of replies whose draft the function makes.
        settings: More settings of the emulated Connect.
        loses_table: Whether the table of drafts is deleted and made anew during the storm.
    """

    repeat: str
    drafts: float = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    loses_table: bool = False

    def __str__(self) -> str:
        """Describe the world in a line of output."""
        settings = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        form = f"drafts, {settings}" if self.drafts else "no drafts"
        return f"a repeat answers {self.repeat}, {form}{', the table is lost' if self.loses_table else ''}"


# A contact takes a second email where the token is checked first, so that nothing but the token prevents one.
CHECKS = ({"checked_first": "token", "used_draft": "send"}, {"checked_first": "contact", "used_draft": "refuse"})
WORLDS = tuple(World(repeat, settings={"used_draft": "send"}) for repeat in ("same_contact", "conflict"))
DRAFT_WORLDS = (
    *(
        World(repeat, 0.9, {"token_scope": scope, **checks})
        for repeat in ("same_contact", "conflict")
        for scope in ("token", "token_and_contact")
        for checks in CHECKS
    ),
    World("conflict", 0.9, {"token_scope": "token_and_contact", **CHECKS[0]}, loses_table=True),
)
MAY_HAVE_BEEN_SENT = frozenset({"InvalidRequest", "NotFound", "MayHaveBeenSent"})
"""With drafts, a reply whose answer was lost may also be dead-lettered for these reasons, under its token."""
CONNECT_FAULTS = {
    "drop_before": 0.03,
    "drop_after": 0.05,
    "garbage_after": 0.02,
    "internal_error": 0.04,
    "unavailable": 0.02,
    "throttle": 0.02,
    "too_many_requests": 0.01,
}
"""The share of calls that have each fault."""
SLOW_CONNECT_FAULTS = {"access_denied": 15, "quota_exceeded": 2, "hang": 2, "hang_after": 2}
"""How many calls have each fault, for 300 replies. These faults take seconds."""
HANG_SECONDS = 30
DRAFT_FAULTS = {
    "drop_before": 0.03,
    "drop_after": 0.05,
    "garbage_after": 0.02,
    "internal_error": 0.04,
    "throttle": 0.02,
}
"""The share of calls of CreateContact and StopContact that have each fault."""
TABLE_FAULTS: tuple[tuple[str, Kind, float], ...] = (
    ("GetItem", "error", 0.05),
    ("GetItem", "garbage_after", 0.03),
    ("UpdateItem", "error", 0.03),
    ("UpdateItem", "refuse", 0.02),
    ("UpdateItem", "drop_before", 0.03),
    ("UpdateItem", "drop_after", 0.06),
    ("UpdateItem", "garbage_after", 0.02),
    ("DescribeTable", "error", 0.05),
)
DRAFTS_STEP = 30
"""Seconds of SQS's clock that a storm with drafts skips at once. An environment holds new drafts back by real time, and
a message must not use up its receives meanwhile."""
SQS_FAULTS: tuple[tuple[str, Kind, float], ...] = (
    ("ChangeMessageVisibility", "error", 0.05),
    ("ChangeMessageVisibility", "drop_before", 0.05),
    ("SendMessage", "error", 0.10),
    ("SendMessage", "throttle", 0.05),
    ("SendMessage", "drop_before", 0.05),
    ("SendMessage", "drop_after", 0.15),
    ("DeleteMessage", "error", 0.05),
    ("PutEvents", "error", 0.2),
    ("PutEvents", "drop_before", 0.1),
    ("PutEvents", "drop_after", 0.1),
)
KILL_INTERVAL = 0.6
"""Mean seconds between two SIGKILLs. Each goes to a random environment, and has no effect on an idle one."""
DOUBLED = 0.03
"""The share of messages that SQS delivers to a second environment at once."""


def survives(seed: int, count: int) -> bool:
    """Send replies through a storm in each world, print what became of them, and return if all is well.

    Args:
        seed: Of the storm.
        count: How many replies in each world without drafts. With drafts, a third of them.
    """
    storm = Storm(Random(seed))
    survived = True
    for world, result, courier in storms(storm, count, lambda _: None, worlds=(*WORLDS, *DRAFT_WORLDS)):
        print(f"seed {seed}, {world}: {result}", storm.struck, courier.sqs_faults.struck, flush=True)
        # After the loss of a table, a person decides about replies that were received before, and design.md names when
        # one may be sent twice.
        survived &= not (result.wrong.keys() - ({"twice", "dead_though_sound"} if world.loses_table else set()))
    return survived


def storms(
    storm: "Storm",
    count: int,
    print_line: Callable[[str], object],
    send_rate: int = 40,
    worlds: Sequence[World] = WORLDS,
) -> Iterator[tuple[World, Tally, LocalCourier]]:
    """Deploy once, and send replies through a storm in each world.

    If a repeat gets 409, the storm delivers no message twice at once that has a producer's token: the function can't
    distinguish this from one token for two replies, and dead-letters the message (docs/design.md).

    Args:
        storm: The faults.
        count: How many replies in each world without drafts. With drafts, a third of them.
        print_line: Is called with the output of the deployment.
        send_rate: The stack's. It decides how many execution environments there are.
        worlds: The worlds.

    Yields:
        The world, what became of the replies, and the system, which still runs.
    """
    with running(print_line, context={"sendRate": str(send_rate), "eventBusName": BUS}, around=storm.around) as courier:
        for world in worlds:
            courier.aws.skip(60)  # SQS purges a queue once in 60 s
            courier.aws.sqs.purge_queue(QueueUrl=courier.dead_letter_queue_url)
            if world.loses_table:
                reset_clock(courier)  # a table's time of creation is real time
            storm.doubles_own_tokens = world.repeat == "same_contact"
            yield world, run(courier, storm, count // 3 if world.drafts else count, world), courier


def run(courier: LocalCourier, storm: "Storm", count: int, world: World) -> Tally:
    """Send replies through the storm, repair some of them, redrive twice, and tally every reply.

    Args:
        courier: The running system, with `storm.around` around its environments.
        storm: The faults. The replies are drawn from its randomness, too.
        count: How many replies.
        world: What Connect does.
    """
    given = list(replies(count, storm.rng, world.drafts))
    connect = ConnectControl(courier.connect_url)
    connect.reset()
    quota = {"rate": 1000, "burst": 1000, "create_rate": 1000, "create_burst": 1000, "latency_ms": 150}
    connect.settings(**quota, repeat=world.repeat, seed=storm.rng.getrandbits(32), **world.settings)
    draft(connect, given, "sound", "invalid")
    outcomes = subscribe(courier.aws)
    outcomes.take()  # those of an earlier run
    step = DRAFTS_STEP if world.drafts else None
    with storm.striking(courier, connect, count, drafts=bool(world.drafts)):
        for n, reply in enumerate(given):
            if world.loses_table and n == count // 2:
                lose_table(courier)
            courier.aws.sqs.send_message(
                QueueUrl=courier.queue_url,
                MessageBody=reply.body,
                MessageAttributes={n: {"DataType": "String", "StringValue": v} for n, v in reply.attributes.items()},
            )
        wait_until_empty(courier, step)
        snapshots = [list(letters(courier))]
        draft(connect, given, "mended")
        connect.settings(email_addresses=[*DEFAULT_SENDERS, SENDERS["mended"]])
        for _ in range(REDRIVES):
            redrive(courier.aws.sqs, courier.dead_letter_queue_url, courier.queue_url)
            wait_until_empty(courier, step)
            snapshots.append(list(letters(courier)))
    courier.poller.pause()  # returns when every invocation has ended: one may still process a second delivery
    courier.poller.resume()
    calls, events = connect.calls, outcomes.take()
    accepted = {call["client_token"] for call in calls if call["accepted"]}
    ever_dead = {letter for snapshot in snapshots for letter in snapshot}
    lost = lost_events(line.line for line in courier.logs)
    return replace(
        tally(given, calls, snapshots, MAY_HAVE_BEEN_SENT if world.drafts else frozenset()),
        false_events=false_events(events, accepted, ever_dead),
        missing_events=missing_events(events, accepted, ever_dead, lost),
    )


def lose_table(courier: LocalCourier) -> None:
    """Delete the table of drafts, and make it anew."""
    tables, name = courier.aws.tables, courier.draft_table
    tables.update_table(TableName=name, DeletionProtectionEnabled=False)
    tables.delete_table(TableName=name)
    tables.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "TokenHash", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "TokenHash", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def reset_clock(courier: LocalCourier) -> None:
    """Set SQS's clock to the time that it is."""
    courier.poller.pause()  # a long poll would go on until the clock is where it was
    courier.aws.skip(-courier.aws.skip(0))
    courier.poller.resume()


def draft(connect: ConnectControl, given: Sequence[Reply], *kinds: str) -> None:
    """Create the contacts of these kinds of replies."""
    connect.draft(*(reply.label for reply in given if reply.kind in kinds))


@dataclass
class Storm:
    """Faults for a running system. The storm exists before the system, because it wraps the environments.

    Attributes:
        rng: The source of all randomness.
        doubles_own_tokens: Whether the storm may deliver messages with a producer's token twice at once.
        doubled: The share of messages that SQS delivers to a second environment at once.
        struck: How often each kind of fault has happened.
    """

    rng: Random
    doubles_own_tokens: bool = True
    doubled: float = DOUBLED
    struck: Counter[str] = field(default_factory=Counter)
    _courier: LocalCourier | None = None
    _environments: list["_StormyEnvironment"] = field(default_factory=list)

    def around(self, environment: Environment) -> Environment:
        """Wrap an execution environment."""
        self._environments.append(_StormyEnvironment(environment, self))
        return self._environments[-1]

    @contextmanager
    def striking(self, courier: LocalCourier, connect: ConnectControl, replies: int, *, drafts: bool) -> Iterator[None]:
        """Cause faults until the `with` block ends.

        Args:
            courier: The system.
            connect: Its Connect.
            replies: How many replies the block sends, which decides how many slow faults there are.
            drafts: Whether calls about drafts have faults, too.
        """
        self._courier = courier
        for fault, probability in CONNECT_FAULTS.items():
            connect.fail(fault, times=None, probability=probability)
        for fault, times in SLOW_CONNECT_FAULTS.items():
            if in_proportion := round(times * replies / 300):
                connect.fail(fault, times=in_proportion, seconds=HANG_SECONDS)
        courier.sqs_faults.rng = Random(self.rng.getrandbits(32))  # its own: requests come in no fixed order
        for operation in ("CreateContact", "StopContact") if drafts else ():
            for fault, probability in DRAFT_FAULTS.items():
                connect.fail(fault, times=None, probability=probability, operation=operation)
        for operation, kind, probability in SQS_FAULTS + (TABLE_FAULTS if drafts else ()):
            courier.sqs_faults.fail(operation, kind, probability=probability)
        stopping = threading.Event()
        killer = threading.Thread(target=self._kill, args=(stopping,), name="storm")
        killer.start()
        try:
            yield
        finally:
            stopping.set()
            killer.join()
            courier.sqs_faults.clear()
            connect.clear_faults()
            self._courier = None

    def deliver_twice(self, record: Record) -> None:
        """Sometimes let SQS deliver a message again while the function processes it."""
        if self._courier is None or self.rng.random() >= self.doubled:
            return
        if "ClientToken" in record["messageAttributes"] and not self.doubles_own_tokens:
            return
        if make_visible(self._courier.aws.sqs, self._courier.queue_url, record["receiptHandle"]):
            self.struck["delivered twice"] += 1

    def _kill(self, stopping: threading.Event) -> None:
        while not stopping.wait(self.rng.expovariate(1 / KILL_INTERVAL)):
            environment = self.rng.choice(self._environments)
            if environment.is_working:
                environment.kill()


def make_visible(sqs: "SQSClient", queue_url: str, receipt_handle: str) -> bool:
    """Make a message in flight visible; return False if another receiver has deleted it or made it visible."""
    try:
        sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=0)
    except (sqs.exceptions.ReceiptHandleIsInvalid, sqs.exceptions.MessageNotInflight):
        return False
    else:
        return True


class _StormyEnvironment:
    """An execution environment in the storm."""

    is_working = False

    def __init__(self, environment: Environment, storm: Storm) -> None:
        self._environment = environment
        self._storm = storm

    def invoke(self, event: Mapping[str, object], /) -> Returned | Failed:
        """Run the function with an event. SQS may deliver some of its messages to other environments as well."""
        records: list[Record] = event["Records"]  # type: ignore[assignment] # local/function/sqs_event.py makes events
        for record in records:
            self._storm.deliver_twice(record)
        self.is_working = True
        try:
            outcome = self._environment.invoke(event)
        finally:
            self.is_working = False
        if isinstance(outcome, Failed):
            self._storm.struck[outcome.error_type] += 1
        return outcome

    def kill(self) -> None:
        """Kill the function's process."""
        self._environment.kill()
