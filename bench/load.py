"""A surge played on a deployed system: real messages, real invocations, real calls to the emulated Connect."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import groupby

from bench.other_caller import PREFIX, other_caller
from bench.replies import put
from bench.scenario import Result, Scenario
from local.connect_control import ConnectControl
from local.drain import wait_until_empty
from local.event_source import Environment
from local.lambda_runtime import LogLine
from local.redrive import counts_of
from local.runtime_api import Failed, Returned
from local.stack import LocalCourier

LONE = [3.0 * n for n in range(30)]
"""When replies come that are alone, in seconds."""
BURSTS = [5.0 * n for n in range(20) for _ in range(5)]
"""When replies come five at once, in seconds: the quota's own burst of five has filled again each time."""
WARM_UP_REPLIES = 10
"""For each environment: a whole batch, so that all of them are needed at once."""
WARM_UP_LATENCY = 0.5

type Event = tuple[float, Callable[[], object]]
"""When to do something, in seconds since the start, and what."""


@dataclass
class Receives:
    """Counts the messages that a function is invoked with."""

    counts: list[int] = field(default_factory=list)

    def around(self, environment: Environment) -> Environment:
        """Count for one of the execution environments."""
        return _Counted(environment, self.counts)


@dataclass(frozen=True)
class _Counted:
    environment: Environment
    counts: list[int]

    def invoke(self, event: Mapping[str, object], /) -> Returned | Failed:
        self.counts.append(len(event["Records"]))  # type: ignore[arg-type] # what local/sqs_event.py puts there
        return self.environment.invoke(event)

    def kill(self) -> None:
        self.environment.kill()


def warm_up(courier: LocalCourier) -> None:
    """Start every execution environment."""
    contacts = [f"warm-{n}" for n in range(WARM_UP_REPLIES * len(courier.environments))]
    connect_anew(courier, Scenario(rate=1e6, latency=WARM_UP_LATENCY), contacts)
    put(courier.aws.sqs, courier.queue_url, contacts)
    wait_until_empty(courier)


def waits(courier: LocalCourier, scenario: Scenario) -> dict[str, float]:
    """Seconds from enqueueing to acceptance, by contact: of replies that come alone, and of bursts of five."""
    waited: dict[str, float] = {}
    for kind, moments in {"lone": LONE, "burst": BURSTS}.items():
        contacts = [f"{kind}-{n}" for n in range(len(moments))]
        connect = connect_anew(courier, scenario, contacts)
        enqueued: dict[str, float] = {}

        def enqueue(some: Sequence[str], enqueued: dict[str, float] = enqueued) -> None:
            enqueued |= dict.fromkeys(some, time.time())
            put(courier.aws.sqs, courier.queue_url, some)

        follow(time.time(), in_their_second(moments, contacts, enqueue))
        wait_until_empty(courier)
        waited |= {sent["contact_id"]: sent["at"] - enqueued[sent["contact_id"]] for sent in connect.sent}
    return waited


def surge(courier: LocalCourier, receives: Receives, scenario: Scenario, seconds: float) -> Result:
    """Let a surge come, and count what it takes until nothing is left of it.

    While the quota lasts for the surge, time goes by for SQS as for all. After that, messages that are still hidden
    come back as soon as nothing else is left to do.

    Args:
        courier: The system, with `receives` around its environments.
        receives: Counts.
        scenario: What Connect does.
        seconds: For how long the surge takes up the quota.
    """
    arrivals = scenario.arrivals(seconds)
    contacts = [f"surge-{n}" for n in range(len(arrivals))]
    connect = connect_anew(courier, scenario, contacts)
    courier.poller.pause()
    waiting = arrivals.count(0)
    put(courier.aws.sqs, courier.queue_url, contacts[:waiting])
    logged, received, dead = len(courier.logs), len(receives.counts), dead_letters(courier)
    events: list[Event] = [(seconds, lambda: None)]
    events += in_their_second(
        arrivals[waiting:], contacts[waiting:], lambda some: put(courier.aws.sqs, courier.queue_url, some)
    )
    if scenario.outage:
        events.append((scenario.outage[0], lambda: connect.fail("unavailable", times=None)))
        events.append((scenario.outage[1], connect.clear_faults))
    start = time.time()
    with others(courier, connect, scenario, start, seconds):
        courier.poller.resume()
        follow(start, events)
        wait_until_empty(courier)
    result = Result(
        receives=sum(receives.counts[received:]),
        billed_seconds=sum(map(billed_seconds, courier.logs[logged:])),
        dead=dead_letters(courier) - dead,
    )
    for call in connect.calls:
        at = call["at"] - start
        if call["contact_id"].startswith(PREFIX):
            result.others += [at] * call["accepted"]
        else:
            throttled = call["error"] == "ThrottlingException"
            result.calls += 1
            result.throttled += throttled
            result.throttled_alone += throttled and (scenario.other_from is None or at < scenario.other_from)
            result.accepted += [at] * call["accepted"]
    return result


def others(
    courier: LocalCourier, connect: ConnectControl, scenario: Scenario, start: float, seconds: float
) -> AbstractContextManager[None]:
    """The other caller of a scenario, if it has one."""
    if scenario.other_from is None:
        return nullcontext()
    contacts = round(scenario.rate * 2 * seconds)
    return other_caller(courier.aws, connect, scenario.rate / 2, start + scenario.other_from, contacts)


def connect_anew(courier: LocalCourier, scenario: Scenario, contacts: Sequence[str]) -> ConnectControl:
    """Let Connect begin anew, with a full quota and contacts to reply to."""
    connect = ConnectControl(courier.connect_url)
    connect.reset()
    connect.settings(rate=scenario.rate, burst=scenario.burst, latency_ms=scenario.latency * 1000)
    connect.draft(*contacts)
    return connect


def in_their_second(
    moments: Sequence[float], contacts: Sequence[str], enqueue: Callable[[Sequence[str]], None]
) -> Iterator[Event]:
    """Enqueue replies at the beginning of the second in which they come."""
    for second, pairs in groupby(zip(moments, contacts, strict=True), key=lambda pair: pair[0] // 1):
        some = [contact for _, contact in pairs]
        yield second, lambda some=some: enqueue(some)  # type: ignore[misc]


def follow(start: float, events: Iterable[Event]) -> None:
    """Do each thing when its time has come."""
    for at, do in sorted(events, key=lambda event: event[0]):
        time.sleep(max(0.0, start + at - time.time()))
        do()


def dead_letters(courier: LocalCourier) -> int:
    """How many replies are on the dead-letter queue."""
    return sum(counts_of(courier.aws.sqs, courier.dead_letter_queue_url))


def billed_seconds(log: LogLine) -> float:
    """What Lambda's report of an invocation bills; 0 for any other line."""
    if not log.line.startswith('{"type": "platform.report"'):
        return 0
    return float(json.loads(log.line)["record"]["metrics"]["billedDurationMs"]) / 1000
