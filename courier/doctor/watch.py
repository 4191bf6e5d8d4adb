"""Judges those who are to watch: the stack's alarms, and who is told of them. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from courier.doctor.finding import REVERT_DRIFT, Finding, bad, good, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

_IN_THE_RUNBOOK = re.compile(r"Runbook: (\w+)\.")
PENDING, DELETED = "PendingConfirmation", "Deleted"
"""What SNS gives in the place of an ARN."""
OK, ALARM = "OK", "ALARM"


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm.

    Attributes:
        name: As CloudWatch knows it.
        description: What its mail says.
        state: OK, ALARM or INSUFFICIENT_DATA.
        tells: Whether its actions are enabled.
    """

    name: str
    description: str
    state: str
    tells: bool = True

    @property
    def in_the_runbook(self) -> str:
        """Its section in docs/runbook.md, which its description names."""
        found = _IN_THE_RUNBOOK.search(self.description)
        return found[1] if found else self.name


def alarms(of_the_stack: int, found: Sequence[Alarm]) -> list[Finding]:
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
    if silent := [alarm.in_the_runbook for alarm in found if not alarm.tells]:
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
