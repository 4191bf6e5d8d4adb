"""The table "adaptive": botocore's adaptive retry mode beside this project's own rule, on the simulated clock."""

from __future__ import annotations

from random import Random
from statistics import mean
from typing import TYPE_CHECKING

from botocore.retries import bucket, throttling
from botocore.retries.adaptive import ClientRateLimiter, RateClocker

from bench.report import markdown, number
from bench.scenario import Result, Scenario
from bench.simulation import as_deployed, derived, simulate
from handler.pacer import Pacer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.simulation import Pacing
    from bench.virtual_time import VirtualTime
    from infra.capacity import Capacity

SECONDS = 600
LONGEST_BACKOFF = 20
"""Seconds, in botocore."""
SHORTEST_WAIT = 1e-6
"""Seconds: less may not move the simulated clock, and botocore's token bucket would wait for ever."""
EXPLANATION = """\
# botocore's adaptive mode

A surge of ten minutes through the function's own code on a simulated clock, {seeds} times with other draws: alone, and
with another caller that asks for half of the quota from the middle on. **Rule**: what `handler/pacer.py` does.
**Adaptive, paced**: each environment paced at its share of the rate, and what botocore does with
`retries={{"mode": "adaptive"}}` (its `ClientRateLimiter`, and its backoff after a throttled call) in place of the rule.
**Adaptive**: the same without a pace of ours.

The share of the quota counts what was accepted until nine tenths of the time were over or nine tenths of the replies
accepted; with another caller, from the middle on, and of what that one left. Each cell is the mean of all runs.

"""


class VirtualClock(bucket.Clock):
    """The simulated clock, as botocore wants it."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time

    def current_time(self) -> float:
        return self._time.now()


class VirtualCondition:
    """What botocore's token bucket waits at; nobody else is there to notify it, only time goes by."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def notify(self) -> None: ...

    def wait(self, timeout: float) -> None:
        self._time.sleep(max(timeout, SHORTEST_WAIT))


class Unpaced(Pacer):
    """No pace of our own: only the pauses while Connect fails."""

    def wait_time(self) -> float:
        return max(0.0, self._paused_until - self._clock())


def adaptive(kind: type[Pacer]) -> Pacing:
    """Pace a call by botocore's limiter, after what another pacer has it wait."""

    class Adaptive(kind):  # type: ignore[misc, valid-type]
        def __init__(self, numbers: Capacity, time: VirtualTime) -> None:
            super().__init__(numbers.share, numbers.burst, time.now, time.sleep)
            self._limiter = limiter(time)
            self._rng = Random(1)
            self._throttled_in_a_row = 0

        def take(self) -> None:
            super().take()
            self._limiter.on_sending_request(None)

        def answered(self) -> None:
            super().answered()
            self._limiter.on_receiving_response(throttled=False)
            self._throttled_in_a_row = 0

        def throttled(self) -> None:
            self._limiter.on_receiving_response(throttled=True)
            # As botocore.retries.standard.ExponentialBackoff has it.
            backoff = self._rng.random() * min(2**self._throttled_in_a_row, LONGEST_BACKOFF)
            self._throttled_in_a_row += 1
            self._paused_until = self._clock() + backoff

    return Adaptive


def limiter(time: VirtualTime) -> ClientRateLimiter:
    """As botocore.retries.adaptive.register_retry_handler makes it, on the simulated clock."""
    clock = VirtualClock(time)
    tokens = bucket.TokenBucket(max_rate=1, clock=clock)
    tokens._new_fill_rate_condition = VirtualCondition(time)  # type: ignore[attr-defined]  # noqa: SLF001 - no other way
    return ClientRateLimiter(
        rate_adjustor=throttling.CubicCalculator(starting_max_rate=0, start_time=clock.current_time()),
        rate_clocker=RateClocker(clock),
        token_bucket=tokens,
        throttling_detector=Throttled(),
        clock=clock,
    )


class Throttled:
    """Tells a throttled call from others: here it is known."""

    def is_throttling_error(self, *, throttled: bool) -> bool:
        return throttled


PACINGS: dict[str, Pacing] = {
    "rule": as_deployed,
    "adaptive, paced": adaptive(Pacer),
    "adaptive": adaptive(Unpaced),
}


def table(seeds: Sequence[int], rates: Sequence[float]) -> str:
    """Run all ways of pacing at every rate, and return the means in Markdown."""
    rows = [
        [f"{rate:g}/s, {'alone' if other_from is None else 'another caller'}", name, *figures(scenario, pacing, seeds)]
        for rate in rates
        for other_from in (None, SECONDS / 2)
        for scenario in [Scenario(rate, other_from=other_from)]
        for name, pacing in PACINGS.items()
    ]
    return EXPLANATION.format(seeds=len(seeds)) + markdown(["", "pace", *FIGURES], rows)


def figures(scenario: Scenario, pacing: Pacing, seeds: Sequence[int]) -> list[str]:
    """The means of each figure."""
    arrivals = scenario.arrivals(SECONDS)
    results = [simulate(scenario, derived(scenario.rate), arrivals, seed, pacing) for seed in seeds]
    return [number(mean(figure(scenario, result) for result in results)) for figure in FIGURES.values()]


FIGURES: dict[str, Callable[[Scenario, Result], float]] = {
    "share of the quota": lambda scenario, result: result.share_of_quota_used(scenario, SECONDS),
    "calls an email": lambda _, result: result.calls / len(result.accepted),
    "receives an email": lambda _, result: result.receives / len(result.accepted),
    "other caller got": lambda scenario, result: result.share_of_other_caller(scenario, SECONDS),
}
