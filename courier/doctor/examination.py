"""Asks AWS what each check needs. What one check cannot learn hides no other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from courier.aws import NotOurStackError
from courier.doctor import limits, parts, watch
from courier.doctor.asking import (
    alarms,
    counted,
    counted_by_function,
    email_addresses,
    function_configuration,
    instance_of,
    named,
    resources,
    subscribed,
    the_rate,
)
from courier.doctor.finding import unknown
from courier.mapping import sending_now
from courier.queues.queue_status import Status, status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

    from courier.aws import Account
    from courier.doctor.clients import Clients
    from courier.doctor.finding import Finding

NOT_FOUND = "ResourceNotFoundException"


@dataclass(frozen=True)
class Examination:
    """All checks of one moment.

    Attributes:
        account: Where, and which stack.
        clients: What the account has no clients for.
        now: Seconds since the epoch.
        explain: What failed, and after the first full stop what to do about it.
    """

    account: Account
    clients: Clients
    now: float
    explain: Callable[[BotoCoreError | ClientError], str]

    def findings(self) -> Iterator[Finding]:
        """Each check's answer, in the order in which a reply goes."""
        checks: dict[str, Callable[[], Iterable[Finding]]] = {
            "stack": lambda: [parts.stack(self.account.stack_status)],
            "sending": lambda: [parts.sending(sending_now(self.account))],
            "function": self._function,
            "recipients": self._recipients,
            "errors": self._errors,
            "tries": self._tries,
            "alarms": self._alarm_states,
            "subscriptions": self._subscriptions,
            "replies": self._replies,
            "dead letters": self._dead_letters,
            "quota": self._quota,
            "concurrency": self._concurrency,
            "instance": self._instance,
            "email": self._email,
        }
        for name, check in checks.items():
            try:
                yield from list(check())
            except (BotoCoreError, ClientError) as failed:
                seen, _, advice = self.explain(failed).partition(". ")
                yield unknown(name, seen.removesuffix("."), advice or "run it again: courier doctor")
            except NotOurStackError as failed:
                yield unknown(name, str(failed).partition(": ")[0], "deploy the stack again")

    def _function(self) -> Iterator[Finding]:
        configuration = self._configuration
        yield parts.function(configuration.get("State"), configuration.get("LastUpdateStatus"))

    def _recipients(self) -> Iterator[Finding]:
        variables = self._configuration.get("Environment", {}).get("Variables", {})
        yield parts.recipients(variables.get("ALLOWED_RECIPIENTS", ""))

    def _tries(self) -> Iterator[Finding]:
        def count(metric: str) -> float:
            return counted_by_function(self.account, metric, self.now, parts.TRIED_MINUTES)

        yield parts.tries(count("RepliesSent"), {metric: count(metric) for metric in parts.NOT_NOW})

    def _errors(self) -> Iterator[Finding]:
        invocations, errors = (counted(self.account, name, self.now) for name in ("Invocations", "Errors"))
        yield parts.function_errors(invocations, errors, self.account.log_group)

    def _alarm_states(self) -> Sequence[Finding]:
        of_the_stack = named(self._resources, "AWS::CloudWatch::Alarm")
        return watch.alarms(len(of_the_stack), [alarm for alarm, _ in self._alarms])

    def _subscriptions(self) -> Iterator[Finding]:
        topics = {action for _, actions in self._alarms for action in actions if ":sns:" in action}
        if not topics:  # CloudWatch knows no alarm of the stack
            topics = set(named(self._resources, "AWS::SNS::Topic"))
        yield watch.subscriptions(len(topics), subscribed(self.clients.sns, sorted(topics)))

    def _replies(self) -> Iterator[Finding]:
        queues, told = self._queues
        waiting = queues.replies.all
        not_known = next((text.partition(": ")[2] for text in told if "oldest" in text), None)
        yield limits.replies(waiting, queues.replies.oldest, queues.outlook.gone_in(waiting), not_known)

    def _dead_letters(self) -> Sequence[Finding]:
        queues, _ = self._queues
        letters = queues.letters
        return limits.dead_letters(
            queues.dead_letters.all, letters.expiring, letters.near_7_days, not_seen=bool(letters.not_seen)
        )

    def _quota(self) -> Iterator[Finding]:
        rate = self.account.known_output("SendRate")
        own = the_rate(self.clients.quotas, is_default=False)
        found = own or the_rate(self.clients.quotas, is_default=True)
        yield limits.quota(found, float(rate) if rate else None)

    def _concurrency(self) -> Iterator[Finding]:
        functions = self.account.functions
        mapping = functions.get_event_source_mapping(UUID=self.account.output("MappingId"))
        reserved = functions.get_function_concurrency(FunctionName=self.account.output("FunctionName"))
        account = functions.get_account_settings()["AccountLimit"]
        yield limits.concurrency(
            mapping.get("ScalingConfig", {}).get("MaximumConcurrency"),
            account["UnreservedConcurrentExecutions"],
            reserved.get("ReservedConcurrentExecutions"),
        )

    def _instance(self) -> Iterator[Finding]:
        try:
            found = self.clients.connect.describe_instance(InstanceId=self._instance_id)
        except ClientError as refused:
            if refused.response["Error"].get("Code") != NOT_FOUND:
                raise
            yield parts.instance(None)
        else:
            yield parts.instance(found["Instance"].get("InstanceStatus", "without a status"))

    def _email(self) -> Iterator[Finding]:
        yield parts.email_addresses(email_addresses(self.clients.connect, self._instance_id))

    @cached_property
    def _configuration(self) -> FunctionConfigurationResponseTypeDef:
        return function_configuration(self.account)

    @cached_property
    def _instance_id(self) -> str:
        return instance_of(self._configuration)

    @cached_property
    def _queues(self) -> tuple[Status, Sequence[str]]:
        """Both queues, and what could not be learned of them."""
        told: list[str] = []
        return status(self.account, self.now, told.append), told

    @cached_property
    def _resources(self) -> Sequence[tuple[str, str]]:
        return resources(self.account)

    @cached_property
    def _alarms(self) -> Sequence[tuple[watch.Alarm, Sequence[str]]]:
        return alarms(self.account, named(self._resources, "AWS::CloudWatch::Alarm"))
