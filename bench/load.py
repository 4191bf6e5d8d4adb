"""Plays a surge on a deployed system: real messages, real invocations, real calls to the emulated Connect."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import batched, groupby
from random import Random
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from bench.scenario import Result, Scenario
from local.aws import LocalAws
from local.cdk import INSTANCE_ARN
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.function.event_source_mapping import Environment
from local.function.execution_environment import LogLine
from local.function.runtime_api import Failed, Returned
from local.replies import reply
from local.sqs import counts_of
from local.system import LocalCourier

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

OTHER = "other-"
"""The prefix of the contacts that the other caller replies to."""
OTHER_CALLERS_THREADS = 64
MESSAGES_PER_CALL = 10
"""SQS's limit for SendMessageBatch."""
WARM_UP_REPLIES = 10
"""For each environment: so many that the poller needs every environment at once."""
WARM_UP_LATENCY = 0.5
WARM_UPS = 10
"""How often to try."""
LATE = 1
"""Seconds. A surge prints a warning if something happened later than this."""

type Event = tuple[float, Callable[[], object]]
"""When to do something, in seconds since the start, and what."""


@dataclass
class Receives:
    """Counts the messages of each invocation."""

    counts: list[int] = field(default_factory=list)

    def around(self, environment: Environment) -> Environment:
        """Count the messages of an execution environment's invocations."""
        return _CountedEnvironment(environment, self.counts)


@dataclass(frozen=True)
class _CountedEnvironment:
    environment: Environment
    counts: list[int]

    def invoke(self, event: Mapping[str, object], /) -> Returned | Failed:
        self.counts.append(len(event["Records"]))  # type: ignore[arg-type] # local/function/sqs_event.py makes events
        return self.environment.invoke(event)

    def kill(self) -> None:
        self.environment.kill()


def warm_up(courier: LocalCourier) -> None:
    """Start every execution environment.

    Raises:
        RuntimeError: An environment stayed cold.
    """
    contacts = [f"warm-{n}" for n in range(WARM_UP_REPLIES * len(courier.environments))]
    cold: set[str] = set()
    for _ in range(WARM_UPS):
        reset_connect(courier, Scenario(rate=1e6, latency=WARM_UP_LATENCY), contacts)
        courier.poller.pause()
        put(courier.aws.sqs, courier.queue_url, contacts)
        courier.poller.resume()
        wait_until_empty(courier)
        courier.poller.pause()  # returns when the last report is in the log
        courier.poller.resume()
        cold = {each.name for each in courier.environments} - {line.environment for line in courier.logs}
        if not cold:
            return
    raise RuntimeError(f"the warm-up left environments cold: {', '.join(sorted(cold))}")


def surge(courier: LocalCourier, receives: Receives, scenario: Scenario, seconds: float) -> Result:
    """Play a surge until the queue is empty, and count what it takes.

    Args:
        courier: The system, with `receives` around its environments.
        receives: Counts the messages of each invocation.
        scenario: What Connect does.
        seconds: How long the surge takes up the quota.
    """
    arrivals = scenario.arrivals(seconds)
    contacts = [f"surge-{n}" for n in range(len(arrivals))]
    others = [f"{OTHER}{n}" for n in range(round(scenario.rate * seconds))] if scenario.other_from is not None else []
    connect = reset_connect(courier, scenario, [*contacts, *others])
    courier.poller.pause()
    waiting = arrivals.count(0)
    put(courier.aws.sqs, courier.queue_url, contacts[:waiting])
    logged, received = len(courier.logs), len(receives.counts)
    dead = sum(counts_of(courier.aws.sqs, courier.dead_letter_queue_url))
    events: list[Event] = [(seconds, lambda: None)]
    events += each_second(
        arrivals[waiting:], contacts[waiting:], lambda some: put(courier.aws.sqs, courier.queue_url, some)
    )
    if scenario.outage:
        events.append((scenario.outage[0], lambda: connect.fail("unavailable", times=None)))
        events.append((scenario.outage[1], connect.clear_faults))
    start = time.time()
    with other_caller(courier.aws, connect.url, scenario.rate / 2, start + (scenario.other_from or 0), others):
        courier.poller.resume()
        do_in_time(start, events)
        # Where nothing happens, time is skipped. Connect's quota refills in that time.
        refill = partial(connect.settings, rate=scenario.rate, burst=scenario.burst)
        wait_until_empty(courier, step=scenario.burst / scenario.rate, skipped=refill)
        courier.poller.pause()  # returns when the last invocation's report is in the log
    result = count(connect.calls, start, scenario.other_from)
    result.receives = sum(receives.counts[received:])
    result.billed_seconds = sum(map(billed_seconds, courier.logs[logged:]))
    result.dead = sum(counts_of(courier.aws.sqs, courier.dead_letter_queue_url)) - dead
    return result


def reset_connect(courier: LocalCourier, scenario: Scenario, contacts: Sequence[str]) -> ConnectControl:
    """Give Connect a full quota, and these contacts only."""
    connect = ConnectControl(courier.connect_url)
    connect.reset()
    connect.settings(rate=scenario.rate, burst=scenario.burst, latency_ms=scenario.latency * 1000)
    connect.draft(*contacts)
    return connect


def put(sqs: "SQSClient", queue_url: str, labels: Sequence[str]) -> None:
    """Put a valid reply to each of these contacts on a queue.

    Raises:
        RuntimeError: SQS didn't take all of them.
    """
    for some in batched(labels, MESSAGES_PER_CALL, strict=False):
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": label, "MessageBody": json.dumps(reply(label))} for label in some
        ]
        answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
        if failed := answer.get("Failed"):
            raise RuntimeError(f"SQS didn't take all replies: {failed[0]['Code']}")


def each_second(
    arrivals: Sequence[float], contacts: Sequence[str], enqueue: Callable[[Sequence[str]], None]
) -> Iterator[Event]:
    """Enqueue replies at the beginning of the second in which they arrive."""
    for second, pairs in groupby(zip(arrivals, contacts, strict=True), key=lambda pair: pair[0] // 1):
        some = [contact for _, contact in pairs]
        yield second, lambda some=some: enqueue(some)  # type: ignore[misc]


def do_in_time(start: float, events: Iterable[Event]) -> None:
    """Do each thing at its time, and print a warning if the machine was too slow."""
    late = 0.0
    for at, do in sorted(events, key=lambda event: event[0]):
        time.sleep(max(0.0, start + at - time.time()))
        late = max(late, time.time() - start - at)
        do()
    if late > LATE:
        print(f"something happened {late:.1f} s late: is the machine too slow?", file=sys.stderr)


@contextmanager
def other_caller(
    aws: LocalAws, connect_url: str, rate: float, begins: float, contacts: Sequence[str]
) -> Iterator[None]:
    """Call Connect at random moments until the `with` block ends, and drop throttled calls.

    Args:
        aws: Makes the client.
        connect_url: The address of Connect.
        rate: Calls a second, on average.
        begins: The time of the first call, in epoch seconds.
        contacts: The caller sends one reply to each.

    Raises:
        Exception: A call failed otherwise. It is raised when the block ends.
    """
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=OTHER_CALLERS_THREADS)
    client = aws.session.client("connect", endpoint_url=connect_url, config=config)
    # Before any thread: botocore makes these classes at the first access, and each thread could get its own.
    throttled = client.exceptions.ThrottlingException
    stopping = threading.Event()

    def call(contact: str) -> None:
        with suppress(throttled):
            client.start_outbound_email_contact(InstanceId=INSTANCE_ARN.rpartition("/")[2], **reply(contact))

    def calls() -> None:
        rng = Random(1)
        at = begins
        with ThreadPoolExecutor(OTHER_CALLERS_THREADS) as pool:
            made = []
            for contact in contacts:
                at += rng.expovariate(rate)
                if stopping.wait(max(0.0, at - time.time())):
                    break
                made.append(pool.submit(call, contact))
        for each in made:
            each.result()

    with ThreadPoolExecutor(1) as program:
        running = program.submit(calls)
        try:
            yield
        finally:
            stopping.set()
        running.result()


def count(calls: Iterable[Mapping[str, Any]], start: float, other_from: float | None) -> Result:
    """Count the calls of a surge.

    Args:
        calls: Connect's record.
        start: When the surge began, in epoch seconds.
        other_from: When the other caller began, in seconds after `start`; None if there was none.
    """
    result = Result()
    for call in calls:
        at = call["at"] - start
        if call["contact_id"].startswith(OTHER):
            result.others_asked.append(at)
            result.others += [at] * call["accepted"]
        else:
            throttled = call["error"] == "ThrottlingException"
            result.called.append(at)
            result.calls += 1
            result.throttled += throttled
            result.throttled_alone += throttled and (other_from is None or at < other_from)
            result.accepted += [at] * call["accepted"]
    return result


def billed_seconds(log: LogLine) -> float:
    """Return the billed time in Lambda's report of an invocation; 0 for any other line."""
    if not log.line.startswith('{"type": "platform.report"'):
        return 0
    return float(json.loads(log.line)["record"]["metrics"]["billedDurationMs"]) / 1000
