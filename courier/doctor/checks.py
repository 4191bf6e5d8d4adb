"""Asks AWS what each check needs. What one check cannot learn hides no other."""

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

from courier.aws import NotOurStackError
from courier.dead_letters import DRAFT_SECONDS
from courier.doctor.queries import (
    OPERATION,
    Alarm,
    Quota,
    alarms,
    counted,
    counted_by_function,
    email_addresses,
    function_configuration,
    instance_of,
    named,
    resources,
    send_quota,
    subscribed,
)
from courier.output import format_age, out, printable
from courier.pause import sending_state
from courier.status import Status, status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

    from courier.aws import Account
    from courier.doctor.queries import Clients
    from courier.pause import Sending

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
            "stack": lambda: [stack(self.account.stack_status)],
            "sending": lambda: [sending(sending_state(self.account))],
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
            except (BotoCoreError, ClientError) as error:
                seen, _, advice = self.explain(error).partition(". ")
                yield unknown(name, seen.removesuffix("."), advice or "run it again: courier doctor")
            except NotOurStackError as error:
                yield unknown(name, str(error).partition(": ")[0], "deploy the stack again")

    def _function(self) -> Iterator[Finding]:
        configuration = self._configuration
        yield function(configuration.get("State"), configuration.get("LastUpdateStatus"))

    def _recipients(self) -> Iterator[Finding]:
        variables = self._configuration.get("Environment", {}).get("Variables", {})
        yield recipients(variables.get("ALLOWED_RECIPIENTS", ""))

    def _tries(self) -> Iterator[Finding]:
        def count(metric: str) -> float:
            return counted_by_function(self.account, metric, self.now, TRIED_MINUTES)

        yield tries(count("RepliesSent"), {metric: count(metric) for metric in NOT_NOW})

    def _errors(self) -> Iterator[Finding]:
        invocations, errors = (counted(self.account, name, self.now) for name in ("Invocations", "Errors"))
        yield function_errors(invocations, errors, self.account.log_group)

    def _alarm_states(self) -> Sequence[Finding]:
        of_the_stack = named(self._resources, "AWS::CloudWatch::Alarm")
        return judge_alarms(len(of_the_stack), [alarm for alarm, _ in self._alarms])

    def _subscriptions(self) -> Iterator[Finding]:
        topics = {action for _, actions in self._alarms for action in actions if ":sns:" in action}
        if not topics:  # CloudWatch knows no alarm of the stack
            topics = set(named(self._resources, "AWS::SNS::Topic"))
        yield subscriptions(len(topics), subscribed(self.clients.sns, sorted(topics)))

    def _replies(self) -> Iterator[Finding]:
        queues, told = self._queues
        waiting = queues.replies.all
        not_known = next((text.partition(": ")[2] for text in told if "oldest" in text), None)
        yield replies(waiting, queues.replies.oldest, queues.outlook.drain_seconds(waiting), not_known)

    def _dead_letters(self) -> Sequence[Finding]:
        queues, _ = self._queues
        letters = queues.letters
        return dead_letters(
            queues.dead_letters.all, letters.expiring, letters.near_7_days, not_seen=bool(letters.not_seen)
        )

    def _quota(self) -> Iterator[Finding]:
        rate = self.account.known_output("SendRate")
        own = send_quota(self.clients.quotas, is_default=False)
        found = own or send_quota(self.clients.quotas, is_default=True)
        yield quota(found, float(rate) if rate else None)

    def _concurrency(self) -> Iterator[Finding]:
        functions = self.account.functions
        mapping = functions.get_event_source_mapping(UUID=self.account.output("MappingId"))
        reserved = functions.get_function_concurrency(FunctionName=self.account.output("FunctionName"))
        account = functions.get_account_settings()["AccountLimit"]
        yield concurrency(
            mapping.get("ScalingConfig", {}).get("MaximumConcurrency"),
            account["UnreservedConcurrentExecutions"],
            reserved.get("ReservedConcurrentExecutions"),
        )

    def _instance(self) -> Iterator[Finding]:
        try:
            found = self.clients.connect.describe_instance(InstanceId=self._instance_id)
        except ClientError as error:
            if error.response["Error"].get("Code") != NOT_FOUND:
                raise
            yield instance(None)
        else:
            yield instance(found["Instance"].get("InstanceStatus", "without a status"))

    def _email(self) -> Iterator[Finding]:
        yield judge_email_addresses(email_addresses(self.clients.connect, self._instance_id))

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
    def _alarms(self) -> Sequence[tuple[Alarm, Sequence[str]]]:
        return alarms(self.account, named(self._resources, "AWS::CloudWatch::Alarm"))


REVERT_DRIFT = "make deploy DEPLOY=--revert-drift restores what was changed by hand"
"""Advice that more than one check gives."""


class Level(StrEnum):
    """Whether it is as it should be."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer.

    Attributes:
        check: What was looked at.
        level: How it is.
        seen: What AWS said of it.
        advice: The next command, or what to do; None if it is good.
    """

    check: str
    level: Level
    seen: str
    advice: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As `doctor --json` writes it."""
        return {"check": self.check, "verdict": self.level, "seen": self.seen, "next": self.advice}


def good(check: str, seen: str) -> Finding:
    """It is as it should be."""
    return Finding(check, Level.GOOD, seen)


def bad(check: str, seen: str, advice: str) -> Finding:
    """It is not."""
    return Finding(check, Level.BAD, seen, advice)


def unknown(check: str, seen: str, advice: str) -> Finding:
    """Nobody can tell from what was seen."""
    return Finding(check, Level.UNKNOWN, seen, advice)


TRIED_MINUTES = 15


NOT_NOW = {
    "RepliesDenied": "AccessDenied",
    "RepliesThrottled": "Throttled",
    "RepliesActiveEmailsFull": "ConnectFull",
    "RepliesAttachmentPending": "AttachmentPending",
    "RepliesUnavailable": "ConnectUnavailable",
    "RepliesTimedOut": "ConnectTimesOut",
    "PayloadsUnavailable": "PayloadsUnavailable",
}
"""The function's metrics of tries that came to nothing, each with its section of docs/runbook.md."""


DEPLOYED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "IMPORT_COMPLETE"}


TAKEN_BACK = {"UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}


AGAIN = "in a minute: courier doctor"


DEPLOY = "read the stack's events in the CloudFormation console, mend the cause, and deploy again"


def stack(status: str) -> Finding:
    """Judge CloudFormation's word for the stack."""
    if status in DEPLOYED:
        return good("stack", status)
    if status in TAKEN_BACK:
        return bad("stack", f"{status}: the last deployment failed, and the stack is as before it", DEPLOY)
    if status.endswith("_IN_PROGRESS"):
        return unknown("stack", f"{status}: a deployment is under way", f"when it is over: {AGAIN.partition(': ')[2]}")
    return bad("stack", status, DEPLOY)


def sending(now: Sending) -> Finding:
    """Judge the function's event source mapping, and who has paused it."""
    who = f"paused by {now.paused_by} since {now.paused_at}" if now.paused_by else None
    if now.is_off:
        return bad("sending", who or f"the mapping is {now.state}, and not by courier", "courier resume")
    if now.was_switched_on:
        seen = f"{who}, and switched on since by something else than courier"
        return bad("sending", seen, "courier pause, or if it is to go on: courier resume")
    if now.state == "Enabled":
        return good("sending", "the mapping is enabled")
    return unknown("sending", f"the mapping is {now.state}", AGAIN)


def function(state: str | None, last_update: str | None) -> Finding:
    """Judge the function's State and LastUpdateStatus, as Lambda names them."""
    seen = f"{state}, last update {last_update}"
    if "Failed" in {state, last_update}:
        return bad("function", seen, "aws lambda get-function-configuration says why; then deploy again")
    if (state, last_update) in {("Active", "Successful"), ("Inactive", "Successful")}:
        return good("function", seen)
    return unknown("function", seen, AGAIN)


def recipients(allowed: str) -> Finding:
    """Say to whom the function sends: its variable ALLOWED_RECIPIENTS. The operator knows whether that is right."""
    return good("recipients", f"only {allowed}" if allowed else "all are allowed")


def function_errors(invocations: float | None, errors: float | None, log_group: str) -> Finding:
    """Judge what CloudWatch has counted in the last hour; None where it has nothing."""
    if invocations is None:
        seen = "no invocation in the last hour"
        return unknown("errors", seen, "none is needed if nothing waits: courier status")
    seen = f"{errors or 0:,.0f} of {invocations:,.0f} invocations failed in the last hour"
    if errors:
        return bad("errors", seen, f"aws logs tail {log_group} --since 1h; docs/runbook.md, FunctionFails")
    return good("errors", seen)


def tries(sent: float, not_now: Mapping[str, float]) -> Finding:
    """Judge what Connect, and S3, did with the replies that were tried in the last TRIED_MINUTES.

    Args:
        sent: How many were sent.
        not_now: How many tries came to nothing, by the metric that counts them.
    """
    refused = sorted(((count, NOT_NOW[metric]) for metric, count in not_now.items() if count), reverse=True)
    told = ", ".join(f"{count:,.0f} {cause}" for count, cause in refused)
    seen = f"{sent:,.0f} sent in the last {TRIED_MINUTES} minutes" + (f", tries in vain: {told}" if told else "")
    if refused and not sent:
        return bad("tries", seen, f"docs/runbook.md, {refused[0][1]}")
    if not_now.get("RepliesDenied"):  # not in passing: what was sent was sent before
        return bad("tries", seen, "docs/runbook.md, AccessDenied")
    return good("tries", seen)


def instance(status: str | None) -> Finding:
    """Judge the instance's InstanceStatus; None if Connect does not know it."""
    if status is None:
        advice = "correct instanceArn in cdk.json, and deploy"
        return bad("instance", "Connect does not know it, in this account and Region", advice)
    if status == "ACTIVE":
        return good("instance", status)
    if status == "CREATION_IN_PROGRESS":
        return unknown("instance", status, AGAIN)
    return bad("instance", status, "look at the instance in the Amazon Connect console")


def judge_email_addresses(count: int) -> Finding:
    """Judge how many email addresses the instance has; without any it cannot send email."""
    if count:
        return good("email", f"the instance has {count:,} email address{'es' if count > 1 else ''}")
    advice = "set up email in the Amazon Connect console: a domain and an address"
    return bad("email", "the instance has no email address", advice)


CONSOLE = f"look it up in the Service Quotas console: Amazon Connect, {OPERATION}"


MORE_CONCURRENCY = "ask for more in the Service Quotas console: AWS Lambda, Concurrent executions"


def replies(waiting: int, oldest: float | None, drain_seconds: float | None, not_known: str | None) -> Finding:
    """Judge the queue of replies.

    Args:
        waiting: Replies on it.
        oldest: The age of the oldest, in seconds; None if it is not known.
        drain_seconds: Seconds until all are gone at sendRate; None if it is not known.
        not_known: Why CloudWatch did not tell, if it was asked in vain.
    """
    if not waiting:
        return good("replies", "none waits")
    count = "1 waits" if waiting == 1 else f"{waiting:,} wait"
    if drain_seconds is not None and drain_seconds > DRAFT_SECONDS:
        seen = f"{count}, and are gone in about {format_age(drain_seconds)}; drafts expire after 12h by default"
        return bad("replies", seen, "docs/runbook.md, A backlog")
    if oldest is None:
        seen = f"{count}; since when is not known: {not_known or 'CloudWatch has no age yet'}"
        return unknown("replies", seen, "courier status")
    seen = f"{count}, the oldest for {format_age(oldest)}"
    if oldest > DRAFT_SECONDS:
        advice = "docs/runbook.md, RepliesWaitLong"
        return bad("replies", f"{seen}; drafts expire after 12h by default", advice)
    return good("replies", seen)


def dead_letters(count: int, expiring: int, near_7_days: int, *, not_seen: bool) -> list[Finding]:
    """Judge the dead letters by what is ahead of them.

    Args:
        count: Letters on the queue.
        expiring: Of these, how many SQS deletes within 3 days.
        near_7_days: How many were first tried 6 days ago or more.
        not_seen: Whether some could not be read, or not known to be all.
    """
    findings = []
    if expiring:
        findings.append(bad("dead letters", f"{expiring:,} are deleted by SQS within 3 days", "courier dlq renew"))
    if near_7_days:
        seen = f"{near_7_days:,} were first tried 6 days ago or more; after 7 a replay needs --force"
        findings.append(bad("dead letters", seen, "mend and replay them: courier dlq list --older-than 5d"))
    if not_seen:
        seen = f"{count:,}, and some could not be read: somebody else holds them"
        findings.append(unknown("dead letters", seen, "in a minute: courier doctor"))
    if findings:
        return findings
    seen = "none" if not count else f"{count:,} on the queue, none near its end: courier dlq groups"
    return [good("dead letters", seen)]


def quota(found: Quota | None, send_rate: float | None) -> Finding:
    """Judge the account's quota for the call, of the right name; None if Service Quotas does not list it."""
    if found is None:
        return unknown("quota", f"Service Quotas does not list one for {OPERATION}", CONSOLE)
    whose = "AWS's default is" if found.is_default else "the account has"
    seen = f"{whose} {found.rate:g} a second"
    if send_rate is None:
        return unknown("quota", f"{seen}; the stack does not name its sendRate", "deploy it again")
    seen = f"{seen}, sendRate is {send_rate:g}"
    if found.rate < send_rate:
        return bad("quota", seen, "lower sendRate in cdk.json and deploy, or ask AWS to raise the quota")
    if found.is_default:
        return unknown("quota", f"{seen}; the account's own is not listed and may be lower", CONSOLE)
    return good("quota", seen)


def concurrency(most: int | None, unreserved: int, reserved: int | None) -> Finding:
    """Judge whether Lambda can run as many environments as the mapping wants.

    Args:
        most: The mapping's MaximumConcurrency; None if it has none.
        unreserved: What the account has for functions without a reservation.
        reserved: What is reserved for the function; None if nothing is.
    """
    if most is None:
        advice = REVERT_DRIFT
        return unknown("concurrency", "the mapping has no MaximumConcurrency", advice)
    if reserved is not None:
        seen = f"{reserved} reserved for the function, the mapping uses up to {most}"
        advice = "aws lambda delete-function-concurrency, or reserve more: throttled calls use up receives"
        return good("concurrency", seen) if reserved >= most else bad("concurrency", seen, advice)
    seen = f"{unreserved:,} unreserved in the account, the mapping uses up to {most}"
    return good("concurrency", seen) if unreserved >= most else bad("concurrency", seen, MORE_CONCURRENCY)


PENDING, DELETED = "PendingConfirmation", "Deleted"
"""What SNS gives in the place of an ARN."""


OK, ALARM = "OK", "ALARM"


def judge_alarms(of_the_stack: int, found: Sequence[Alarm]) -> list[Finding]:
    """Judge the stack's alarms.

    Args:
        of_the_stack: How many the stack has.
        found: Those that CloudWatch knows.
    """
    if not of_the_stack:
        return [unknown("alarms", "the stack has no alarms", "if it is an old one, deploy again")]
    gone = of_the_stack - len(found)
    findings = [
        bad("alarms", f"{alarm.in_the_runbook} is in ALARM", f"docs/runbook.md, {alarm.in_the_runbook}")
        for alarm in found
        if alarm.state == ALARM
    ]
    if gone:
        findings.append(bad("alarms", f"{gone} of {of_the_stack} are gone: deleted by hand", REVERT_DRIFT))
    if silent := [alarm.in_the_runbook for alarm in found if not alarm.actions_enabled]:
        advice = "aws cloudwatch enable-alarm-actions --alarm-names …"
        findings.append(bad("alarms", f"tell nobody, since their actions are off: {', '.join(silent)}", advice))
    if dark := [alarm.in_the_runbook for alarm in found if alarm.state not in {OK, ALARM}]:
        # CloudWatch: the alarm has just started, or its metric is not available, or has not enough data.
        advice = "in some minutes: courier doctor; a new alarm begins so"
        findings.append(unknown("alarms", f"INSUFFICIENT_DATA, just begun or without data: {', '.join(dark)}", advice))
    return findings or [good("alarms", f"all {of_the_stack} are OK")]


def subscriptions(topics: int, arns: Sequence[str]) -> Finding:
    """Judge who is told of alarms.

    Args:
        topics: How many topics the alarms are sent to.
        arns: Of their subscriptions, or what SNS gives in the place of one.
    """
    if not topics:
        return unknown("subscriptions", "the alarms name no topic", REVERT_DRIFT)
    told = Counter("confirmed" if arn not in {PENDING, DELETED} else arn for arn in arns)
    if told[PENDING]:
        seen = f"{told[PENDING]} of {len(arns)} not confirmed: nobody is told there"
        return bad("subscriptions", seen, "open the link in the mail from AWS Notifications, or subscribe again")
    if not told["confirmed"]:
        advice = "set alarmEmail in cdk.json and deploy, or subscribe to the topic in the SNS console"
        return bad("subscriptions", "nobody has subscribed to the alarms", advice)
    return good("subscriptions", f"{told['confirmed']} confirmed")


STYLES = {Level.GOOD: "green", Level.BAD: "bold red", Level.UNKNOWN: "yellow"}


MARK, CHECK = 8, 14
"""Columns: as wide as the longest verdict and the longest check, and a space."""


def show_findings(findings: Iterable[Finding]) -> None:
    """Show each finding as soon as it is there; off a terminal one line each, as wide as it is."""
    for finding in findings:
        if out.is_terminal:
            _show_finding(finding)
        else:
            advice = f" | {finding.advice}" if finding.advice else ""
            out.print(
                f"{finding.level:{MARK}}{finding.check:{CHECK}}{printable(finding.seen + advice)}", soft_wrap=True
            )


def _show_finding(finding: Finding) -> None:
    line = Table.grid()
    line.add_column(width=MARK)
    line.add_column(width=CHECK)
    line.add_column()
    line.add_row(Text(finding.level, style=STYLES[finding.level]), finding.check, printable(finding.seen))
    out.print(line)
    if finding.advice:
        out.print(Padding(Text(f"→ {printable(finding.advice)}", style="dim"), (0, 0, 0, MARK + CHECK)))
