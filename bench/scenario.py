"""A surge and what happens meanwhile, for local AWS (bench/load.py) and the simulated clock (bench/simulation.py)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan

type Span = tuple[float, float]
"""Start and end, in seconds since the surge began."""

BURST = 5
"""Requests: Connect's quotas are 2 requests a second with a burst of 5."""
BURST_PER_RATE = 2.5
HEAD_START = 20
"""A surge begins with the replies of this many seconds on the queue."""
ARRIVALS_PER_QUOTA = 1.1
"""The other replies arrive faster than they can be sent, so that replies always wait."""
MEASURED = 0.9
"""The part of a surge in which the share of the quota is measured."""


@dataclass(frozen=True)
class Scenario:
    """What Connect does during a surge.

    Attributes:
        rate: The quota, in requests a second.
        latency: Seconds of a call.
        other_from: When another caller begins to ask for half of the quota; None if there is none.
        outage: When Connect answers 503.
        full: When Connect answers 402; on the simulated clock only.
    """

    rate: float
    latency: float = 0.15
    other_from: float | None = None
    outage: Span | None = None
    full: Span | None = None

    @property
    def burst(self) -> int:
        """The quota's burst, in requests: Connect's own 5 at 2 a second, and more in proportion at higher rates."""
        return max(BURST, round(BURST_PER_RATE * self.rate))

    def quota(self, since: float, until: float, tokens: float) -> float:
        """Return how many requests Connect could accept in this time, from all callers together.

        Args:
            since: Seconds since the surge began.
            until: Seconds since the surge began.
            tokens: Requests of the burst that were left at the beginning of this time.
        """
        closed = [overlap(span, (since, until)) for span in (self.outage, self.full) if span]
        refilled = sum(min(self.burst, self.rate * seconds) for seconds in closed)
        return tokens + self.rate * (until - since - sum(closed)) + refilled

    def left(self, until: float) -> float:
        """Return how many requests are left for us until this time, if the other caller gets its half."""
        others = self.rate / 2 * max(0.0, until - self.other_from) if self.other_from is not None else 0.0
        return self.quota(0, until, tokens=self.burst) - others

    def arrivals(self, seconds: float) -> list[float]:
        """Return when each reply arrives, ascending: as many replies as the quota lets through in this time."""
        count = round(self.left(seconds)) - self.burst
        at_once = min(count, round(HEAD_START * self.rate))
        return [0.0] * at_once + [n / (ARRIVALS_PER_QUOTA * self.rate) for n in range(1, count - at_once + 1)]


@dataclass
class Result:
    """The result of a run. Times are seconds since the surge began.

    Attributes:
        accepted: When Connect accepted each email.
        called: When Connect received each call, on local AWS only.
        others: When Connect accepted each request of the other caller.
        others_asked: When the other caller made each request.
        waited: Seconds from arrival to acceptance, by message id, on the simulated clock only.
        calls: How many calls there were.
        throttled: How many of them Connect throttled.
        throttled_alone: How many of them Connect throttled before the other caller began.
        receives: How many messages the function received.
        billed_seconds: Lambda's billed time.
        dead: How many replies were dead-lettered.
        minutes: The values of each CloudWatch metric, one for each minute, on the simulated clock only.
    """

    accepted: list[float] = field(default_factory=list)
    called: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    others_asked: list[float] = field(default_factory=list)
    waited: dict[str, float] = field(default_factory=dict)
    calls: int = 0
    throttled: int = 0
    throttled_alone: int = 0
    receives: int = 0
    billed_seconds: float = 0.0
    dead: int = 0
    minutes: dict[str, list[float | None]] = field(default_factory=dict)

    def measured(self, scenario: Scenario, seconds: float) -> Span:
        """Return when replies were always waiting: until 9/10 of the time or of the emails, whichever ends first.

        In the last tenth the queue runs empty. With another caller, the measurement begins with that caller.
        """
        accepted = sorted(self.accepted)
        until = min([MEASURED * seconds, *accepted[int(MEASURED * len(accepted)) :][:1]])
        return scenario.other_from or 0, until

    def share_of_quota_used(self, scenario: Scenario, seconds: float) -> float:
        """Return the emails accepted while replies waited, divided by what the other caller left of the quota."""
        since, until = span = self.measured(scenario, seconds)
        quota = scenario.quota(since, until, tokens=self.tokens(scenario, since))
        return ratio(count_within(self.accepted, span), quota - count_within(self.others, span))

    def share_of_other_caller(self, scenario: Scenario, seconds: float) -> float:
        """Return how much the other caller got in this time of what it asked for."""
        span = self.measured(scenario, seconds)
        return ratio(count_within(self.others, span), count_within(self.others_asked, span))

    def tokens(self, scenario: Scenario, at: float) -> float:
        """Return how many requests of the burst were left at a time, after all requests accepted before it."""
        tokens, last = float(scenario.burst), 0.0
        for now in [*sorted(time for time in self.accepted + self.others if time < at), at]:
            tokens, last = min(scenario.burst, tokens + (now - last) * scenario.rate) - 1, now
        return tokens + 1


def ratio(part: float, whole: float) -> float:
    """Return a part of a whole; NaN if the whole is 0."""
    return part / whole if whole > 0 else nan


def count_within(times: Sequence[float], span: Span) -> int:
    """Count the times within a span."""
    return sum(span[0] <= at < span[1] for at in times)


def overlap(one: Span, other: Span) -> float:
    """Return the seconds that two spans have in common."""
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
