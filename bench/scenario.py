"""A surge, and what happens meanwhile: for local AWS (bench/load.py) or a simulated clock (bench/simulation.py)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

type Span = tuple[float, float]
"""From when to when, in seconds since the start."""

BURST = 5
"""Requests: Connect's quotas come as 2 requests a second with a burst of 5."""
BURST_PER_RATE = 2.5
HEAD_START = 20
"""Seconds of the quota that wait on the queue when a surge begins."""
ARRIVALS_PER_QUOTA = 1.1
"""How fast the rest comes: faster than it can be sent, so that replies always wait."""
MEASURED = 0.9
"""The part of a surge in which the share of the quota is counted."""


@dataclass(frozen=True)
class Scenario:
    """What Connect does during a surge.

    Attributes:
        rate: The quota, in requests a second.
        latency: Seconds of a call.
        other_from: When another caller starts to take half of the quota; None: never.
        outage: From when to when Connect answers 503.
        full: From when to when Connect answers 402.
    """

    rate: float
    latency: float = 0.15
    other_from: float | None = None
    outage: Span | None = None
    full: Span | None = None

    @property
    def burst(self) -> int:
        """The quota's burst, in requests: 5, as Connect has it at 2 a second, and above that in proportion."""
        return max(BURST, round(BURST_PER_RATE * self.rate))

    def quota(self, since: float, until: float) -> float:
        """Requests that Connect could accept in this time, those of the burst included and those of others too."""
        closed = sum(overlap(span, (since, until)) for span in (self.outage, self.full) if span)
        return self.rate * (until - since - closed) + self.burst

    def left(self, until: float) -> float:
        """Requests of the quota that are left from the start on, if the other caller gets its half."""
        others = self.rate / 2 * max(0.0, until - self.other_from) if self.other_from is not None else 0.0
        return self.quota(0, until) - others

    def arrivals(self, seconds: float) -> list[float]:
        """When each reply is put on the queue, ascending: as many as can be sent in this time, some always waiting."""
        count = round(self.left(seconds)) - self.burst
        at_once = min(count, round(HEAD_START * self.rate))
        return [0.0] * at_once + [n / (ARRIVALS_PER_QUOTA * self.rate) for n in range(1, count - at_once + 1)]


@dataclass
class Result:
    """What a run came to.

    Attributes:
        accepted: When each email was accepted, in seconds since the start.
        others: When each request of the other caller was accepted.
        waited: Seconds from enqueueing to acceptance, by reply.
        calls, throttled, receives, billed_seconds, dead: Totals; `dead` counts replies on the dead-letter queue.
        throttled_alone: Calls throttled before another caller came.
    """

    accepted: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    waited: dict[str, float] = field(default_factory=dict)
    calls: int = 0
    throttled: int = 0
    throttled_alone: int = 0
    receives: int = 0
    billed_seconds: float = 0.0
    dead: int = 0

    def measured(self, scenario: Scenario, seconds: float) -> Span:
        """When the quota was in demand: until nine tenths of the time were over, or nine tenths of the emails accepted.

        In the rest the last batches run out. Where there is another caller, it is measured from that one's begin on.
        """
        accepted = sorted(self.accepted)
        return scenario.other_from or 0, min(MEASURED * seconds, accepted[int(MEASURED * len(accepted))])

    def share_of_quota_used(self, scenario: Scenario, seconds: float) -> float:
        """Emails accepted while the quota was in demand, over what the other caller left of it."""
        span = self.measured(scenario, seconds)
        return count_within(self.accepted, span) / (scenario.quota(*span) - count_within(self.others, span))

    def share_of_other_caller(self, scenario: Scenario, seconds: float) -> float | None:
        """What the other caller got in this time, over what it asked for."""
        if scenario.other_from is None:
            return None
        since, until = self.measured(scenario, seconds)
        return count_within(self.others, (since, until)) / (scenario.rate / 2 * (until - since))


def count_within(times: Sequence[float], span: Span) -> int:
    """How many of some times lie in a span."""
    return sum(span[0] <= at < span[1] for at in times)


def overlap(one: Span, other: Span) -> float:
    """Seconds that two spans have in common."""
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
