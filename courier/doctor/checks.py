"""The checks of `courier doctor`: each asks AWS, and a pure function judges the answer.

It does not repeat what `courier status` shows or what an alarm reports.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from courier.aws import StackOutputError
from courier.doctor import queries
from courier.errors import explain
from courier.output import out, printable
from courier.pause import ENABLED, sending_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

    from courier.aws import Account
    from courier.doctor.queries import Alarm, Clients, Quota
    from courier.pause import SendingState

REVERT_DRIFT = "make deploy DEPLOY=--revert-drift restores what was changed by hand"
REDEPLOY = "read the stack's events in the CloudFormation console, fix the cause, and deploy again"
IN_A_MINUTE = "in a minute: courier doctor"
QUOTA_CONSOLE = f"look it up in the Service Quotas console: Amazon Connect, {queries.OPERATION}"
CONCURRENCY_CONSOLE = "request an increase in the Service Quotas console: AWS Lambda, Concurrent executions"

ATTEMPT_MINUTES = 15
RETRY_METRICS = {
    "AccessDenied": "AccessDenied",
    "AttemptsThrottled": "Throttled",
    "ActiveEmailsFull": "ActiveEmailsFull",
    "AttachmentsPending": "AttachmentPending",
    "ConnectUnavailable": "ConnectUnavailable",
    "ConnectTimedOut": "ConnectTimedOut",
    "PayloadsUnavailable": "PayloadsUnavailable",
    "TableUnavailable": "TableUnavailable",
    "DraftsHeld": "DraftsHeld",
    "ContactsNotYetKnown": "ContactNotYetKnown",
    "UsersFull": "UserFull",
}
"""The function's metrics of attempts that failed, each with its section of docs/runbook.md."""
DEPLOYED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "IMPORT_COMPLETE"}
ROLLED_BACK = {"UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}
PENDING, DELETED = "PendingConfirmation", "Deleted"
"""What SNS puts in the place of a subscription's ARN."""


class Level(StrEnum):
    """How a check ended."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


STYLES = {Level.GOOD: "green", Level.BAD: "bold red", Level.UNKNOWN: "yellow"}
LEVEL_WIDTH, CHECK_WIDTH = 8, 14
"""Columns: the longest level and the longest check, with a space."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check.

    Attributes:
        check: What was checked.
        level: How it ended.
        seen: What AWS said.
        advice: The next command, or what to do; None if all is good.
    """

    check: str
    level: Level
    seen: str
    advice: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As `doctor --json` writes it."""
        return {"check": self.check, "verdict": self.level, "seen": self.seen, "next": self.advice}


def good(check: str, seen: str) -> Finding:
    """All is as it should be."""
    return Finding(check, Level.GOOD, seen)


def bad(check: str, seen: str, advice: str) -> Finding:
    """Something is wrong."""
    return Finding(check, Level.BAD, seen, advice)


def unknown(check: str, seen: str, advice: str) -> Finding:
    """The answer does not tell."""
    return Finding(check, Level.UNKNOWN, seen, advice)


@dataclass(frozen=True)
class Examination:
    """All checks at one moment. If one fails, the others still run.

    Attributes:
        account: Where, and which stack.
        clients: Clients for the services that only `doctor` asks.
        now: Seconds since the epoch.
    """

    account: Account
    clients: Clients
    now: float

    def findings(self) -> Iterator[Finding]:
        """The result of each check, in the order in which a reply passes through the parts."""
        checks: dict[str, Callable[[], Iterable[Finding]]] = {
            "stack": lambda: [judge_stack(self.account.stack_status)],
            "sending": lambda: [judge_sending(sending_state(self.account))],
            "recipients": self._recipients,
            "attempts": self._attempts,
            "alarms": self._alarm_states,
            "subscriptions": self._subscriptions,
            "quota": self._quota,
            "concurrency": self._concurrency,
            "instance": self._instance,
            "email": self._email,
        }
        for name, check in checks.items():
            try:
                yield from list(check())
            except (BotoCoreError, ClientError) as error:
                explanation = explain(error, self.account)
                yield unknown(name, explanation.problem, explanation.next_step or "run it again: courier doctor")
            except StackOutputError as error:
                yield unknown(name, error.problem, error.next_step)

    def _recipients(self) -> Iterator[Finding]:
        variables = self._configuration.get("Environment", {}).get("Variables", {})
        yield judge_recipients(variables.get("ALLOWED_RECIPIENTS", ""))

    def _attempts(self) -> Iterator[Finding]:
        def count(metric: str) -> float:
            return queries.sum_of_metric(self.account, metric, self.now, ATTEMPT_MINUTES)

        yield judge_attempts(count("RepliesSent"), {metric: count(metric) for metric in RETRY_METRICS})

    def _alarm_states(self) -> Sequence[Finding]:
        return judge_alarms(len(queries.ids_of_type(self._resources, "AWS::CloudWatch::Alarm")), self._alarms)

    def _subscriptions(self) -> Iterator[Finding]:
        topics = {action for alarm in self._alarms for action in alarm.actions if ":sns:" in action}
        if not topics:  # the stack's alarms do not exist
            topics = set(queries.ids_of_type(self._resources, "AWS::SNS::Topic"))
        yield judge_subscriptions(len(topics), queries.subscription_arns(self.clients.sns, sorted(topics)))

    def _quota(self) -> Iterator[Finding]:
        rate = self.account.known_output("SendRate")
        own = queries.send_quota(self.clients.quotas, is_default=False)
        quota = own or queries.send_quota(self.clients.quotas, is_default=True)
        yield judge_quota(quota, float(rate) if rate else None)

    def _concurrency(self) -> Iterator[Finding]:
        functions = self.account.functions
        mapping = functions.get_event_source_mapping(UUID=self.account.output("MappingId"))
        reserved = functions.get_function_concurrency(FunctionName=self.account.output("FunctionName"))
        account = functions.get_account_settings()["AccountLimit"]
        yield judge_concurrency(
            mapping.get("ScalingConfig", {}).get("MaximumConcurrency"),
            account["UnreservedConcurrentExecutions"],
            reserved.get("ReservedConcurrentExecutions"),
        )

    def _instance(self) -> Iterator[Finding]:
        try:
            found = self.clients.connect.describe_instance(InstanceId=self._instance_id)
        except ClientError as error:
            if error.response["Error"].get("Code") != "ResourceNotFoundException":
                raise
            yield judge_instance(None)
        else:
            yield judge_instance(found["Instance"].get("InstanceStatus", "without a status"))

    def _email(self) -> Iterator[Finding]:
        yield judge_email_addresses(queries.count_email_addresses(self.clients.connect, self._instance_id))

    @cached_property
    def _configuration(self) -> FunctionConfigurationResponseTypeDef:
        return queries.function_configuration(self.account)

    @cached_property
    def _instance_id(self) -> str:
        return queries.instance_id(self._configuration)

    @cached_property
    def _resources(self) -> Sequence[tuple[str, str]]:
        return queries.stack_resources(self.account)

    @cached_property
    def _alarms(self) -> Sequence[Alarm]:
        return queries.describe_alarms(self.account, queries.ids_of_type(self._resources, "AWS::CloudWatch::Alarm"))


def judge_stack(status: str) -> Finding:
    """Judge the stack's status in CloudFormation."""
    if status in DEPLOYED:
        return good("stack", status)
    if status in ROLLED_BACK:
        return bad("stack", f"{status}: the last deployment failed, and the stack is as before it", REDEPLOY)
    if status.endswith("_IN_PROGRESS"):
        return unknown("stack", f"{status}: a deployment is running", "when it has finished: courier doctor")
    return bad("stack", status, REDEPLOY)


def judge_sending(state: SendingState) -> Finding:
    """Judge the event source mapping and its LastProcessingResult."""
    if state.is_off:
        by_courier = f"paused by {state.paused_by} since {state.paused_at}" if state.paused_by else None
        return bad("sending", by_courier or f"the mapping is {state.mapping}, but not by courier", "courier resume")
    result = f", last result: {state.result}" if state.result else ""
    if (state.result or "").startswith("PROBLEM"):
        advice = "docs/runbook.md, FunctionErrors"
        return bad("sending", f"the mapping is {state.mapping}{result}", advice)
    if state.mapping == ENABLED:
        return good("sending", f"the mapping is enabled{result}")
    return unknown("sending", f"the mapping is {state.mapping}{result}", IN_A_MINUTE)


def judge_recipients(allowed: str) -> Finding:
    """Say who may get replies: ALLOWED_RECIPIENTS. Only the operator knows whether that is right."""
    return good("recipients", f"only {allowed}" if allowed else "all are allowed")


def judge_attempts(sent: float, failed: Mapping[str, float]) -> Finding:
    """Judge the attempts of the last ATTEMPT_MINUTES.

    Args:
        sent: Replies that were sent.
        failed: Failed attempts, by the metric that counts them.
    """
    causes = sorted(((count, RETRY_METRICS[metric]) for metric, count in failed.items() if count), reverse=True)
    counts = ", ".join(f"{count:,.0f} {cause}" for count, cause in causes)
    seen = f"{sent:,.0f} sent in the last {ATTEMPT_MINUTES} minutes" + (
        f", failed attempts: {counts}" if counts else ""
    )
    if causes and not sent:
        return bad("attempts", seen, f"docs/runbook.md, {causes[0][1]}")
    if failed.get("AccessDenied"):  # it does not go away, so the replies were sent before
        return bad("attempts", seen, "docs/runbook.md, AccessDenied")
    return good("attempts", seen)


def judge_alarms(expected: int, alarms: Sequence[Alarm]) -> list[Finding]:
    """Judge the stack's alarms.

    Args:
        expected: How many the stack has.
        alarms: Those that exist.
    """
    if not expected:
        return [unknown("alarms", "the stack has no alarms", "deploy it again if it is an old one")]
    findings = [
        bad("alarms", f"{alarm.runbook_section} is in ALARM", f"docs/runbook.md, {alarm.runbook_section}")
        for alarm in alarms
        if alarm.state == "ALARM"
    ]
    if missing := expected - len(alarms):
        findings.append(bad("alarms", f"{missing} of {expected} do not exist: deleted by hand", REVERT_DRIFT))
    if silent := [alarm.runbook_section for alarm in alarms if not alarm.actions_enabled]:
        advice = "aws cloudwatch enable-alarm-actions --alarm-names …"
        findings.append(bad("alarms", f"notify nobody, because their actions are off: {', '.join(silent)}", advice))
    if no_data := [alarm.runbook_section for alarm in alarms if alarm.state not in {"OK", "ALARM"}]:
        # CloudWatch: the alarm has just started, or its metric is not available, or has not enough data.
        advice = "a new alarm begins like this; in some minutes: courier doctor"
        findings.append(unknown("alarms", f"INSUFFICIENT_DATA, new or without data: {', '.join(no_data)}", advice))
    return findings or [good("alarms", f"all {expected} are OK")]


def judge_subscriptions(topics: int, arns: Sequence[str]) -> Finding:
    """Judge who is notified of alarms.

    Args:
        topics: How many topics the alarms notify.
        arns: The ARNs of their subscriptions, or what SNS puts in their place.
    """
    if not topics:
        return unknown("subscriptions", "the alarms name no topic", REVERT_DRIFT)
    counts = Counter("confirmed" if arn not in {PENDING, DELETED} else arn for arn in arns)
    if counts[PENDING]:
        seen = f"{counts[PENDING]} of {len(arns)} not confirmed: nobody is notified there"
        return bad("subscriptions", seen, "open the link in the mail from AWS Notifications, or subscribe again")
    if not counts["confirmed"]:
        advice = "set alarmEmail in cdk.json and deploy, or subscribe to the topic in the SNS console"
        return bad("subscriptions", "nobody has subscribed to the alarms", advice)
    return good("subscriptions", f"{counts['confirmed']} confirmed")


def judge_quota(quota: Quota | None, send_rate: float | None) -> Finding:
    """Judge the account's quota for the call that sends email; None if Service Quotas does not list it."""
    if quota is None:
        return unknown("quota", f"Service Quotas does not list one for {queries.OPERATION}", QUOTA_CONSOLE)
    whose = "AWS's default is" if quota.is_default else "the account has"
    seen = f"{whose} {quota.rate:g} a second"
    if send_rate is None:
        return unknown("quota", f"{seen}; the stack does not name its sendRate", "deploy the stack again")
    seen = f"{seen}, sendRate is {send_rate:g}"
    if quota.rate < send_rate:
        return bad("quota", seen, "lower sendRate in cdk.json and deploy, or ask AWS to raise the quota")
    if quota.is_default:
        return unknown("quota", f"{seen}; the account's own is not listed and may be lower", QUOTA_CONSOLE)
    return good("quota", seen)


def judge_concurrency(maximum: int | None, unreserved: int, reserved: int | None) -> Finding:
    """Judge whether Lambda can run as many environments as the mapping allows.

    Args:
        maximum: The mapping's MaximumConcurrency; None if it has none.
        unreserved: What the account has for functions without reserved concurrency.
        reserved: The function's reserved concurrency; None if it has none.
    """
    if maximum is None:
        return unknown("concurrency", "the mapping has no MaximumConcurrency", REVERT_DRIFT)
    if reserved is not None:
        seen = f"{reserved} reserved for the function, the mapping uses up to {maximum}"
        advice = "aws lambda delete-function-concurrency, or reserve more: throttled calls use up receives"
        return good("concurrency", seen) if reserved >= maximum else bad("concurrency", seen, advice)
    seen = f"{unreserved:,} unreserved in the account, the mapping uses up to {maximum}"
    return good("concurrency", seen) if unreserved >= maximum else bad("concurrency", seen, CONCURRENCY_CONSOLE)


def judge_instance(status: str | None) -> Finding:
    """Judge the instance's InstanceStatus; None if Connect does not know the instance."""
    if status is None:
        advice = "correct instanceArn in cdk.json, and deploy"
        return bad("instance", "Connect does not know it in this account and Region", advice)
    if status == "ACTIVE":
        return good("instance", status)
    if status == "CREATION_IN_PROGRESS":
        return unknown("instance", status, IN_A_MINUTE)
    return bad("instance", status, "look at the instance in the Amazon Connect console")


def judge_email_addresses(count: int) -> Finding:
    """Judge how many email addresses the instance has. Without one it can't send email."""
    if count:
        return good("email", f"the instance has {count:,} email address{'es' if count > 1 else ''}")
    advice = "set up email in the Amazon Connect console: a domain and an address"
    return bad("email", "the instance has no email address", advice)


def show_findings(findings: Iterable[Finding]) -> None:
    """Print each finding as soon as it is known: with its advice below it on a terminal, elsewhere on one line."""
    for finding in findings:
        if not out.is_terminal:
            advice = f" | {finding.advice}" if finding.advice else ""
            text = f"{finding.level:{LEVEL_WIDTH}}{finding.check:{CHECK_WIDTH}}{printable(finding.seen + advice)}"
            out.print(text, soft_wrap=True)
            continue
        line = Table.grid()
        line.add_column(width=LEVEL_WIDTH)
        line.add_column(width=CHECK_WIDTH)
        line.add_column()
        line.add_row(Text(finding.level, style=STYLES[finding.level]), finding.check, printable(finding.seen))
        out.print(line)
        if finding.advice:
            advice_text = Text(f"→ {printable(finding.advice)}", style="dim")
            out.print(Padding(advice_text, (0, 0, 0, LEVEL_WIDTH + CHECK_WIDTH)))
