"""What a surge on a deployed system takes: receives, calls, billed time, dead letters."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.scenario import Result
from local.function.event_source_mapping import Environment
from local.function.execution_environment import LogLine
from local.function.runtime_api import Failed, Returned
from local.sqs import counts_of
from local.system import LocalCourier

OTHER = "other-"
"""What the contacts begin with that the other caller replies to."""


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
        self.counts.append(len(event["Records"]))  # type: ignore[arg-type] # what local/function/sqs_event.py puts there
        return self.environment.invoke(event)

    def kill(self) -> None:
        self.environment.kill()


def counted(calls: Iterable[Mapping[str, Any]], start: float, other_from: float | None) -> Result:
    """Count the calls of a surge.

    Args:
        calls: Connect's record.
        start: When the surge began, in epoch seconds.
        other_from: When the other caller began, in seconds after that; None if there was none.
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


def dead_letters(courier: LocalCourier) -> int:
    """How many replies are on the dead-letter queue."""
    return sum(counts_of(courier.aws.sqs, courier.dead_letter_queue_url))


def billed_seconds(log: LogLine) -> float:
    """What Lambda's report of an invocation bills; 0 for any other line."""
    if not log.line.startswith('{"type": "platform.report"'):
        return 0
    return float(json.loads(log.line)["record"]["metrics"]["billedDurationMs"]) / 1000
