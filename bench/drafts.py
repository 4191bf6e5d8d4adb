"""The table "drafts": replies whose drafts the function makes, simulated, beside inbound email and outages.

It shows what a surge, refused replies and outages leave of the instance's active emails, which inbound email needs.
"""

from __future__ import annotations

import json
import os
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ConnectionClosedError

from bench.dynamodb import Table
from bench.report import markdown
from bench.scenario import Result, Scenario, Span
from bench.simulation import Connect, Simulation, client_error, derived, within
from local.connect.quotas import TokenBucket
from local.replies import reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BODY = json.dumps({**{name: value for name, value in reply("c").items() if name != "ContactId"}, "CreateContact": {}})
HOUR = 3_600


@dataclass(frozen=True)
class DraftScenario(Scenario):
    """What Connect does, and how full the instance is.

    Attributes:
        capacity: Active emails that the instance may have: drafts, inbound emails, and those just sent.
        active_seconds: How long an email stays active after it was sent.
        inbound_every: Seconds between two inbound emails; None: there are none.
        inbound_seconds: How long an inbound email is active.
        refuses: Whether Connect refuses every reply (400).
        stop: What StopContact does.
        table_outage: From when to when writes to the table are not answered.
    """

    capacity: int = 1_000
    active_seconds: float = 5
    inbound_every: float | None = None
    inbound_seconds: float = 60
    refuses: bool = False
    stop: Literal["works", "no effect", "refused"] = "works"
    table_outage: Span | None = None


@dataclass
class DraftResult(Result):
    """What a run came to, with its drafts.

    Attributes:
        create_calls, stop_calls: Totals.
        peak_of_drafts: The most drafts that were live at once.
        peak_of_active: The most active emails.
        inbound, inbound_refused: Totals of inbound emails.
        sent_twice: Tokens under which more than one email was sent.
    """

    create_calls: int = 0
    stop_calls: int = 0
    peak_of_drafts: int = 0
    peak_of_active: int = 0
    inbound: int = 0
    inbound_refused: int = 0
    sent_twice: set[str] = field(default_factory=set)

    def share_of_quota(self, scenario: Scenario) -> float:
        """Return the emails over what the quota let through until the last one."""
        return len(self.accepted) / (scenario.burst + scenario.rate * max(self.accepted))


class DraftConnect(Connect):
    """Connect with CreateContact, StopContact and a limit of active emails. It remembers a token alone."""

    _scenario: DraftScenario
    _result: DraftResult

    def __init__(self, scenario: DraftScenario, *args: Any) -> None:
        super().__init__(scenario, *args)
        self._create_quota = TokenBucket(scenario.rate, scenario.burst)
        self._live: dict[str, float] = {}
        self._busy: list[float] = []
        self._made = 0

    def _active(self) -> int:
        now = self._time.now()
        self._live = {contact: ends for contact, ends in self._live.items() if ends > now}
        self._busy = [ends for ends in self._busy if ends > now]
        result = self._result
        result.peak_of_drafts = max(result.peak_of_drafts, len(self._live))
        active = len(self._live) + len(self._busy)
        result.peak_of_active = max(result.peak_of_active, active)
        return active

    def receive_inbound(self) -> None:
        """An inbound email comes, and is refused if the instance is full."""
        result = self._result
        result.inbound += 1
        if self._active() >= self._scenario.capacity:
            result.inbound_refused += 1
        else:
            self._busy.append(self._time.now() + self._scenario.inbound_seconds)

    def create_contact(self, *, ExpiryDurationInMinutes: int, **_: Any) -> dict[str, Any]:  # noqa: N803
        self._result.create_calls += 1
        error = None
        if not self._create_quota.take(self._time.now()):
            error = client_error(429, "ThrottlingException")
        elif self._active() >= self._scenario.capacity:
            error = client_error(402, "ServiceQuotaExceededException")
        else:
            self._made += 1
            self._live[f"draft-{self._made}"] = self._time.now() + ExpiryDurationInMinutes * 60
            self._active()
        contact = f"draft-{self._made}"
        self._time.sleep(self._scenario.latency)
        if error:
            raise error
        return {"ContactId": contact, "ResponseMetadata": {}}

    def start_outbound_email_contact(self, *, ClientToken: str, ContactId: str = "", **more: Any) -> dict[str, Any]:  # noqa: N803
        if self._scenario.refuses:
            self._result.calls += 1
            self._time.sleep(self._scenario.latency)
            raise client_error(400, "InvalidRequestException")
        answer = super().start_outbound_email_contact(ClientToken=ClientToken, **more)
        if self._live.pop(ContactId, None) is None:
            self._result.sent_twice.add(ClientToken)
        self._busy.append(self._time.now() + self._scenario.active_seconds)
        return answer

    def stop_contact(self, *, ContactId: str, **_: Any) -> None:  # noqa: N803
        self._result.stop_calls += 1
        self._time.sleep(self._scenario.latency)
        if self._scenario.stop == "refused":
            raise client_error(400, "InvalidRequestException")
        if self._scenario.stop == "works":
            self._live.pop(ContactId, None)

    def describe_contact(self, **_: Any) -> dict[str, Any]:
        self._time.sleep(self._scenario.latency)
        return {"Contact": {}}


class DraftTable(Table):
    """The table of drafts, whose writes an outage leaves without an answer."""

    def __init__(self, scenario: DraftScenario, now: Callable[[], float]) -> None:
        super().__init__(now)
        self._scenario, self._now = scenario, now

    def update_item(self, **request: Any) -> dict[str, Any]:
        if within(self._now(), self._scenario.table_outage):
            raise ConnectionClosedError(endpoint_url="x")
        return super().update_item(**request)


class DraftSimulation(Simulation):
    """A simulation whose producers leave the draft to the function."""

    result: DraftResult
    _scenario: DraftScenario
    _connect: DraftConnect
    body = BODY

    def __init__(self, scenario: DraftScenario, arrivals: Sequence[float], seed: int) -> None:
        numbers = derived(scenario.rate)
        super().__init__(scenario, numbers, arrivals, seed, with_metrics=False, result=DraftResult())
        table = DraftTable(scenario, self._time.now)
        self.draft_clients = lambda: (self._connect, self._connect, table)

    def make_connect(self, sent_at: dict[str, float]) -> DraftConnect:
        return DraftConnect(self._scenario, self._time, self._quota, self.result, sent_at)

    def run(self) -> None:
        if self._scenario.inbound_every is not None:
            self._time.start(partial(self._receive_inbound, self._scenario.inbound_every))
        super().run()

    def _receive_inbound(self, every: float) -> None:
        while self._is_unfinished:
            self._connect.receive_inbound()
            self._time.sleep(every)


def simulate(scenario: DraftScenario, arrivals: Sequence[float], seed: int = 1) -> DraftResult:
    """Deliver replies until none is left, with the capacity that the stack derives from the quota."""
    simulation = DraftSimulation(scenario, arrivals, seed)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):  # Powertools prints metrics
        simulation.run()
    return simulation.result


ROWS: dict[str, tuple[DraftScenario, int]] = {
    "50 active emails allowed, 150 ms": (DraftScenario(2, 0.15, capacity=50, inbound_every=3), 3_000),
    "50 active emails allowed, 600 ms": (DraftScenario(2, 0.6, capacity=50, inbound_every=3), 3_000),
    "every reply is refused": (DraftScenario(2, refuses=True), 5_000),
    "the same, and StopContact has no effect": (DraftScenario(2, refuses=True, stop="no effect"), 5_000),
    "the same, and StopContact is refused": (DraftScenario(2, refuses=True, stop="refused"), 5_000),
    "Connect is down for an hour": (DraftScenario(2, outage=(600, 600 + HOUR)), 6_000),
    "the table takes no writes for an hour": (DraftScenario(2, table_outage=(600, 600 + HOUR)), 6_000),
}
"""The scenarios, and how many replies are put on the queue at once."""
FIGURES: dict[str, Callable[[DraftResult, DraftScenario], str]] = {
    "emails": lambda result, _: f"{len(result.accepted):,}",
    "sent twice": lambda result, _: f"{len(result.sent_twice):,}",
    "dead-lettered": lambda result, _: f"{result.dead:,}",
    "share of the quota": lambda result, scenario: f"{result.share_of_quota(scenario):.3f}" if result.accepted else "-",
    "attempts": lambda result, _: f"{result.calls:,}",
    "CreateContact": lambda result, _: f"{result.create_calls:,}",
    "StopContact": lambda result, _: f"{result.stop_calls:,}",
    "peak of live drafts": lambda result, _: f"{result.peak_of_drafts:,}",
    "peak of active emails": lambda result, _: f"{result.peak_of_active:,}",
    "inbound emails refused": lambda result, _: f"{result.inbound_refused:,} of {result.inbound:,}",
}
EXPLANATION = """\
# Drafts

Replies with `CreateContact` are put on the queue at once, and the function's own code sends them on a simulated clock
(`bench/drafts.py`) until none is left, at 2 replies a second with the {environments} environments that the stack
derives. A call takes 150 ms where nothing else is said. The instance has 1,000 active emails where nothing else is
said: drafts, inbound emails (where there are any, one every 3 s, each active for 60 s) and sent replies (active for
5 s). The outages begin after 10 minutes.

"""


def table(share: float) -> str:
    """Play every scenario with a share of its replies, and return the table in Markdown."""
    rows = []
    for name, (scenario, count) in ROWS.items():
        replies = round(count * share)
        result = simulate(scenario, [0.0] * replies)
        rows.append([f"{name} ({replies:,} replies)", *(figure(result, scenario) for figure in FIGURES.values())])
    return EXPLANATION.format(environments=derived(2).concurrency) + markdown(["", *FIGURES], rows)
