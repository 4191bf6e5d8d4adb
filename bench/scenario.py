"""A surge, and what happens meanwhile: for local AWS (bench/load.py) or simulated (bench/simulated/)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan

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
        full: From when to when Connect answers 402; on the simulated clock only.
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

    def quota(self, since: float, until: float, tokens: float) -> float:
        """Requests that Connect could accept in this time, from one caller or another.

        Args:
            since: Seconds since the start.
            until: The same.
            tokens: Requests of the burst that were left when the time began.
        """
        closed = [overlap(span, (since, until)) for span in (self.outage, self.full) if span]
        refilled = sum(min(self.burst, self.rate * seconds) for seconds in closed)
        return tokens + self.rate * (until - since - sum(closed)) + refilled

    def left(self, until: float) -> float:
        """Requests of the quota that are left from the start on, if the other caller gets its half."""
        others = self.rate / 2 * max(0.0, until - self.other_from) if self.other_from is not None else 0.0
        return self.quota(0, until, tokens=self.burst) - others

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
        called: When each call was made, accepted or not; empty where nobody notes it.
        others: When each request of the other caller was accepted.
        others_asked: When it made each request.
        waited: Seconds from enqueueing to acceptance, by reply.
        calls, throttled, receives, billed_seconds, dead: Totals; `dead` counts replies on the dead-letter queue.
        throttled_alone: Calls throttled before another caller came.
        minutes: What CloudWatch would have, by metric, a value for each minute.
    """

    accepted: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    others_asked: list[float] = field(default_factory=list)
    waited: dict[str, float] = field(default_factory=dict)
    called: list[float] = field(default_factory=list)
    calls: int = 0
    throttled: int = 0
    throttled_alone: int = 0
    receives: int = 0
    billed_seconds: float = 0.0
    dead: int = 0
    minutes: dict[str, list[float | None]] = field(default_factory=dict)

    def measured(self, scenario: Scenario, seconds: float) -> Span:
        """When the quota was in demand: until nine tenths of the time were over, or nine tenths of the emails accepted.

        In the rest the last batches run out. Where there is another caller, it is measured from that one's begin on.
        """
        accepted = sorted(self.accepted)
        until = min([MEASURED * seconds, *accepted[int(MEASURED * len(accepted)) :][:1]])
        return scenario.other_from or 0, until

    def share_of_quota_used(self, scenario: Scenario, seconds: float) -> float:
        """Emails accepted while the quota was in demand, over what the other caller left of it."""
        since, until = span = self.measured(scenario, seconds)
        quota = scenario.quota(since, until, tokens=self.tokens(scenario, since))
        return ratio(count_within(self.accepted, span), quota - count_within(self.others, span))

    def share_of_other_caller(self, scenario: Scenario, seconds: float) -> float:
        """What the other caller got in this time, over what it asked for."""
        span = self.measured(scenario, seconds)
        return ratio(count_within(self.others, span), count_within(self.others_asked, span))

    def tokens(self, scenario: Scenario, at: float) -> float:
        """Requests that were left of the burst at a time, after all that had been accepted until then."""
        tokens, last = float(scenario.burst), 0.0
        for now in [*sorted(time for time in self.accepted + self.others if time < at), at]:
            tokens, last = min(scenario.burst, tokens + (now - last) * scenario.rate) - 1, now
        return tokens + 1


def ratio(part: float, whole: float) -> float:
    """A part of a whole; not a number where there is none."""
    return part / whole if whole > 0 else nan


def count_within(times: Sequence[float], span: Span) -> int:
    """How many of some times lie in a span."""
    return sum(span[0] <= at < span[1] for at in times)


def overlap(one: Span, other: Span) -> float:
    """Seconds that two spans have in common."""
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
