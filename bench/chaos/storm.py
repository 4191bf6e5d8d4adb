"""Breaks what can break while replies are on their way, at random from a seed."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from local.connect.control_client import ConnectControl
from local.function.event_source_mapping import Environment
from local.function.runtime_api import Failed, Returned
from local.function.sqs_event import Record
from local.sqs_faults import Kind
from local.system import LocalCourier

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

CONNECT_FAULTS = {
    "drop_before": 0.03,
    "drop_after": 0.05,
    "garbage_after": 0.02,
    "internal_error": 0.04,
    "unavailable": 0.02,
    "throttle": 0.02,
    "too_many_requests": 0.01,
}
"""Share of the calls that each strikes."""
SLOW_CONNECT_FAULTS = {"access_denied": 15, "quota_exceeded": 2, "hang": 2, "hang_after": 2}
"""How many calls each strikes among 300 replies: each takes seconds."""
HANGS = 30
"""Seconds without an answer."""
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
KILLS_EVERY = 0.6
"""Seconds between two SIGKILLs, on average. Each strikes any of the environments; one without work takes no harm."""
DOUBLED = 0.03
"""Share of received messages that SQS hands to a second environment at once."""


@dataclass
class Storm:
    """Strikes a running system; made before it, since it stands around the environments.

    Attributes:
        rng: Where all chance comes from.
        doubles_own_tokens: Whether messages with a producer's token may be handed to two environments at once.
        doubled: Share of received messages that SQS hands to a second environment at once.
        struck: How often each kind of fault struck, so far.
    """

    rng: Random
    doubles_own_tokens: bool = True
    doubled: float = DOUBLED
    struck: Counter[str] = field(default_factory=Counter)
    _courier: LocalCourier | None = None
    _environments: list["_Struck"] = field(default_factory=list)

    def around(self, environment: Environment) -> Environment:
        """Put the storm around an execution environment."""
        self._environments.append(_Struck(environment, self))
        return self._environments[-1]

    @contextmanager
    def striking(self, courier: LocalCourier, connect: ConnectControl, replies: int) -> Iterator[None]:
        """Strike until the end of the `with` block; so many replies are sent in it."""
        self._courier = courier
        for fault, probability in CONNECT_FAULTS.items():
            connect.fail(fault, times=None, probability=probability)
        for fault, times in SLOW_CONNECT_FAULTS.items():
            if here := round(times * replies / 300):
                connect.fail(fault, times=here, seconds=HANGS)
        courier.sqs_faults.rng = Random(self.rng.getrandbits(32))  # own draws: requests come in no fixed order
        for operation, kind, probability in SQS_FAULTS:
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

    def hand_out_twice(self, record: Record) -> None:
        """Sometimes let SQS hand a message out again while it is being delivered."""
        if self._courier is None or self.rng.random() >= self.doubled:
            return
        if "ClientToken" in record["messageAttributes"] and not self.doubles_own_tokens:
            return
        if make_visible(self._courier.aws.sqs, self._courier.queue_url, record["receiptHandle"]):
            self.struck["handed out twice"] += 1

    def _kill(self, stopping: threading.Event) -> None:
        while not stopping.wait(self.rng.expovariate(1 / KILLS_EVERY)):
            environment = self.rng.choice(self._environments)
            if environment.is_working:
                environment.kill()


def make_visible(sqs: "SQSClient", queue_url: str, receipt_handle: str) -> bool:
    """Let SQS hand out a message that is in flight; False if another one who had it deleted it or put it back."""
    try:
        sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=0)
    except (sqs.exceptions.ReceiptHandleIsInvalid, sqs.exceptions.MessageNotInflight):
        return False
    else:
        return True


class _Struck:
    """An execution environment in the storm."""

    is_working = False

    def __init__(self, environment: Environment, storm: Storm) -> None:
        self._environment = environment
        self._storm = storm

    def invoke(self, event: Mapping[str, object], /) -> Returned | Failed:
        """Run the function on one event, some of whose messages others may get as well."""
        records: list[Record] = event["Records"]  # type: ignore[assignment] # what local/function/sqs_event.py puts there
        for record in records:
            self._storm.hand_out_twice(record)
        self.is_working = True
        try:
            outcome = self._environment.invoke(event)
        finally:
            self.is_working = False
        if isinstance(outcome, Failed):
            self._storm.struck[outcome.error_type] += 1
        return outcome

    def kill(self) -> None:
        """Cut off what it runs."""
        self._environment.kill()
