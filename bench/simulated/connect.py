"""StartOutboundEmailContact as a scenario has it, on a simulated clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from bench.scenario import Result, Scenario
    from bench.simulated.virtual_time import VirtualTime
    from local.connect.quotas import TokenBucket


class Connect:
    """StartOutboundEmailContact as a scenario has it."""

    def __init__(
        self, scenario: Scenario, time: VirtualTime, quota: TokenBucket, result: Result, sent_at: dict[str, float]
    ) -> None:
        self._scenario, self._time, self._quota, self._result = scenario, time, quota, result
        self._sent_at = sent_at
        self._accepted: set[str] = set()

    def start_outbound_email_contact(self, *, ClientToken: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - the API's name
        now, scenario, result = self._time.now(), self._scenario, self._result
        result.calls += 1
        error = self._error(now)
        self._time.sleep(scenario.latency)
        if error:
            raise error
        if ClientToken not in self._accepted:
            self._accepted.add(ClientToken)
            result.accepted.append(now)
            result.waited[ClientToken] = now - self._sent_at[ClientToken]
        return {"ContactId": "c", "ResponseMetadata": {"RequestId": "r"}}

    def _error(self, now: float) -> ClientError | None:
        if within(now, self._scenario.outage):
            return refusal(503, "503")
        if not self._quota.take(now):
            self._result.throttled += 1
            self._result.throttled_alone += self._scenario.other_from is None or now < self._scenario.other_from
            return refusal(429, "ThrottlingException")
        if within(now, self._scenario.full):
            return refusal(402, "ServiceQuotaExceededException")
        return None


def within(now: float, span: tuple[float, float] | None) -> bool:
    return span is not None and span[0] <= now < span[1]


def refusal(status: int, code: str) -> ClientError:
    metadata = {"HTTPStatusCode": status, "RequestId": "r"}
    response: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": metadata}
    return ClientError(response, "StartOutboundEmailContact")
