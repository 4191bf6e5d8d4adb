"""Judges what runs out: the lives of drafts and letters, the quota, Lambda's concurrency. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from courier.doctor.finding import REVERT_DRIFT, Finding, bad, good, unknown
from courier.queues.letter import DRAFT_SECONDS
from courier.queues.selection import short

OPERATION = "StartOutboundEmailContact"
CONSOLE = f"look it up in the Service Quotas console: Amazon Connect, {OPERATION}"
MORE_CONCURRENCY = "ask for more in the Service Quotas console: AWS Lambda, Concurrent executions"


def replies(waiting: int, oldest: float | None, gone_in: float | None, not_known: str | None) -> Finding:
    """Judge the queue of replies.

    Args:
        waiting: Replies on it.
        oldest: The age of the oldest, in seconds; None if it is not known.
        gone_in: Seconds until all are gone at sendRate; None if it is not known.
        not_known: Why CloudWatch did not tell, if it was asked in vain.
    """
    if not waiting:
        return good("replies", "none waits")
    count = "1 waits" if waiting == 1 else f"{waiting:,} wait"
    if gone_in is not None and gone_in > DRAFT_SECONDS:
        seen = f"{count}, and are gone in about {short(gone_in)}; drafts expire after 12h by default"
        return bad("replies", seen, "docs/runbook.md, A backlog")
    if oldest is None:
        seen = f"{count}; since when is not known: {not_known or 'CloudWatch has no age yet'}"
        return unknown("replies", seen, "courier status")
    seen = f"{count}, the oldest for {short(oldest)}"
    if oldest > DRAFT_SECONDS:
        advice = "docs/runbook.md, OldestReplyTooOld"
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


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota of Service Quotas.

    Attributes:
        name: Its name there.
        value: How much.
        seconds: Of how many seconds; None if Service Quotas does not say, as for rates a second.
        is_default: Whether it is AWS's default, and not this account's.
    """

    name: str
    value: float
    seconds: float | None = None
    is_default: bool = False

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.value / (self.seconds or 1)

    @property
    def is_the_rate(self) -> bool:
        """Whether it is the rate of the call that sends email."""
        return OPERATION.lower() in self.name.replace(" ", "").lower() and "burst" not in self.name.lower()


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
