"""A surge played on a deployed system: real messages, real invocations, real calls to the emulated Connect."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby

from bench.counting import OTHER, Receives, billed_seconds, counted, dead_letters
from bench.other_caller import other_caller
from bench.replies import put
from bench.scenario import Result, Scenario
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.system import LocalCourier

LONE = 30
"""Replies that come alone."""
LONE_EVERY = 3
"""Seconds."""
BURSTS, BURST = 20, 5
"""How often replies come at once, and how many."""
WARM_UP_REPLIES = 10
"""For each environment: so many that all of them are needed at once."""
WARM_UP_LATENCY = 0.5
WARM_UPS = 10
"""Times at most."""
LATE = 1
"""Seconds: when something is done later than this, it is said."""

type Event = tuple[float, Callable[[], object]]
"""When to do something, in seconds since the start, and what."""


def warm_up(courier: LocalCourier) -> None:
    """Start every execution environment: send replies until all have been needed.

    Raises:
        RuntimeError: One never was, and is still cold.
    """
    contacts = [f"warm-{n}" for n in range(WARM_UP_REPLIES * len(courier.environments))]
    cold: set[str] = set()
    for _ in range(WARM_UPS):
        connect_anew(courier, Scenario(rate=1e6, latency=WARM_UP_LATENCY), contacts)
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


def waits(courier: LocalCourier, scenario: Scenario) -> dict[str, float]:
    """Seconds from enqueueing to acceptance, by contact: of replies that come alone, and of bursts of five."""
    refilled = max(5.0, 2 * scenario.burst / scenario.rate)
    moments = {
        "lone": [float(LONE_EVERY * n) for n in range(LONE)],
        "burst": [refilled * n for n in range(BURSTS) for _ in range(BURST)],
    }
    waited: dict[str, float] = {}
    for kind, times in moments.items():
        contacts = [f"{kind}-{n}" for n in range(len(times))]
        connect = connect_anew(courier, scenario, contacts)
        enqueued: dict[str, float] = {}

        def enqueue(some: Sequence[str], enqueued: dict[str, float] = enqueued) -> None:
            enqueued |= dict.fromkeys(some, time.time())
            put(courier.aws.sqs, courier.queue_url, some)

        follow(time.time(), in_their_second(times, contacts, enqueue))
        drain(courier, connect, scenario)
        sent = {email["contact_id"]: email["at"] for email in connect.sent}
        waited |= {contact: sent[contact] - enqueued[contact] for contact in contacts}
    return waited


def surge(courier: LocalCourier, receives: Receives, scenario: Scenario, seconds: float) -> Result:
    """Let a surge come, and count what it takes until nothing is left of it.

    Args:
        courier: The system, with `receives` around its environments.
        receives: Counts.
        scenario: What Connect does.
        seconds: For how long the surge takes up the quota.
    """
    arrivals = scenario.arrivals(seconds)
    contacts = [f"surge-{n}" for n in range(len(arrivals))]
    others = [f"{OTHER}{n}" for n in range(round(scenario.rate * seconds))] if scenario.other_from is not None else []
    connect = connect_anew(courier, scenario, [*contacts, *others])
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
    begins = start + (scenario.other_from or 0)
    with other_caller(courier.aws, connect.url, scenario.rate / 2, begins, others):
        courier.poller.resume()
        follow(start, events)
        drain(courier, connect, scenario)
        courier.poller.pause()  # returns when the last invocation's report is there
    result = counted(connect.calls, start, scenario.other_from)
    result.receives = sum(receives.counts[received:])
    result.billed_seconds = sum(map(billed_seconds, courier.logs[logged:]))
    result.dead = dead_letters(courier) - dead
    return result


def drain(courier: LocalCourier, connect: ConnectControl, scenario: Scenario) -> None:
    """Wait until nothing is left, and skip the time in which nothing happens; Connect's quota fills in that time."""
    refill = partial(connect.settings, rate=scenario.rate, burst=scenario.burst)
    wait_until_empty(courier, step=scenario.burst / scenario.rate, skipped=refill)


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
    """Do each thing when its time has come, and say so if the machine was too slow for that."""
    late = 0.0
    for at, do in sorted(events, key=lambda event: event[0]):
        time.sleep(max(0.0, start + at - time.time()))
        late = max(late, time.time() - start - at)
        do()
    if late > LATE:
        print(f"something was done {late:.1f} s late: is the machine too slow?", file=sys.stderr)
