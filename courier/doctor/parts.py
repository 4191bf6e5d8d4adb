"""Judges the stack's parts by what AWS says of them: the stack, its mapping and function, the instance. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from courier.doctor.finding import Finding, bad, good, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from courier.mapping import Sending

TRIED_MINUTES = 15
NOT_NOW = {
    "AccessDenied": "AccessDenied",
    "AttemptsThrottled": "Throttled",
    "ActiveEmailsFull": "ActiveEmailsFull",
    "AttachmentsPending": "AttachmentPending",
    "ConnectUnavailable": "ConnectUnavailable",
    "ConnectTimedOut": "ConnectTimedOut",
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
        return bad("errors", seen, f"aws logs tail {log_group} --since 1h; docs/runbook.md, FunctionErrors")
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
    if not_now.get("AccessDenied"):  # not in passing: what was sent was sent before
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


def email_addresses(count: int) -> Finding:
    """Judge how many email addresses the instance has; without any it cannot send email."""
    if count:
        return good("email", f"the instance has {count:,} email address{'es' if count > 1 else ''}")
    advice = "set up email in the Amazon Connect console: a domain and an address"
    return bad("email", "the instance has no email address", advice)
