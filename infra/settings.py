"""What a deployment can choose: read from CDK context and checked here, and nowhere else."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from infra import setting_values as read
from infra.setting_values import MOST_IN_A_LIST

type Architecture = Literal["arm64", "x86_64"]

KMS_KEY_ARN = re.compile(r"arn:aws(-[a-z]+)*:kms:[a-z]{2}(-[a-z]+)+-\d:\d{12}:key/[A-Za-z0-9-]{1,64}")
STACK_NAME = re.compile("[A-Za-z][A-Za-z0-9-]{0,59}")
PRODUCER = re.compile(r"\d{12}|arn:aws(-[a-z]+)*:iam::\d{12}:(root|(role|user)/[\w+=,.@/-]{1,512})")
RECIPIENT = re.compile(r"[^\s@,?\[\]]+@[^\s@,?\[\]]+")  # of fnmatch's signs, `*` alone is one
EVENT_BUS_NAME = re.compile("[A-Za-z0-9._-]{1,256}")  # PutEvents, EventBridge API reference
ARCHITECTURE = re.compile("arm64|x86_64")
EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")

LOWEST_RATE, HIGHEST_RATE = 0.5, 500  # replies a second
LONGEST_RETRY_HOURS = 48  # every receive in the window counts towards the 1000 that SQS allows a message
LONGEST_RECIPIENTS = 2_000  # characters; a function's environment holds 4 KB

# PutRetentionPolicy in the CloudWatch Logs API reference: it takes these values and no others.
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545),
    *(731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


CDK_KEYS = ("@aws-cdk/core:bootstrapQualifier", "@aws-cdk/core:permissionsBoundary")
"""Misspelt, they would be ignored in silence: docs/deploy.md."""


class SettingsError(ValueError):
    """Settings that are missing, wrong or misspelt: one message that names all of them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of one deployment.

    Attributes:
        instance_arn: The Amazon Connect instance that sends the replies. Account and Region of the stack are its own.
        stack_name: The CloudFormation stack's name, the queue's, and what metrics and traces call the function.
        send_rate: Replies a second, at most: the account's quota for StartOutboundEmailContact, or less.
        retry_hours: How long a reply is tried again, counted from its first receive.
        alarm_email: Who is told of alarms; None subscribes nobody.
        architecture: The function's processor.
        log_retention_days: How long the function's log is kept.
        kms_key_arn: A key of your own for queues, log and alarms; None leaves it to AWS's keys.
        producers: Accounts, roles and users of other accounts that may send to the queue.
        allowed_recipients: Patterns of addresses, like `*@example.com`, that replies may go to; none allows all.
        event_bus_name: The event bus of the stack's account that is told what became of replies; None tells nobody.
        termination_protection: Whether CloudFormation refuses to delete the stack.
    """

    instance_arn: str
    stack_name: str = "reply-courier"
    send_rate: float = 2
    retry_hours: float = 6
    alarm_email: str | None = None
    architecture: Architecture = "arm64"
    log_retention_days: int = 90
    kms_key_arn: str | None = None
    producers: tuple[str, ...] = ()
    allowed_recipients: tuple[str, ...] = ()
    event_bus_name: str | None = None
    termination_protection: bool = False

    @property
    def instance(self) -> dict[str, str]:
        """The instance's `partition`, `region` and `account`, which are the stack's."""
        return read.parts(self.instance_arn)


def read_settings(context: Mapping[str, object]) -> Settings:
    """Read the settings from CDK context; values given with `-c` are strings, those in cdk.json any JSON.

    Raises:
        SettingsError: With every fault, each with an example of the right form.
    """
    faults = _misspelt(context)
    values: dict[str, object] = {}
    for name, (field, parse, form) in SETTINGS.items():
        given = context.get(name)
        if given is None:
            if name == "instanceArn":
                faults.append(f"{name} is missing: give {form}")
            continue
        try:
            values[field] = parse(given)
        except ValueError:
            faults.append(f"{name} is {given!r}: give {form}")
    faults += _not_together(values)
    if faults:
        raise SettingsError(
            "\n  ".join(
                [
                    "These settings (context in cdk.json, -c NAME=VALUE, or the file of -c settings=FILE) are wrong:",
                    *faults,
                ]
            )
        )
    return Settings(**values)  # type: ignore[arg-type]  # SETTINGS pairs each field with the parser of its type


def _not_together(values: Mapping[str, object]) -> list[str]:
    """Name the settings that are right each, and do not fit together."""
    key, instance = values.get("kms_key_arn"), values.get("instance_arn")
    if isinstance(key, str) and isinstance(instance, str) and key.split(":")[3] != instance.split(":")[3]:
        return [f"kmsKeyArn is a key of another Region than the instance's: give {KEY_FORM}"]
    return []


def _misspelt(context: Mapping[str, object]) -> list[str]:
    """Name the keys that look like ours but are not, and two of CDK's, without which it would deploy to another place.

    Other keys of CDK's, and those of other tools, hold `:` or `@`.
    """
    plain = {name.lower(): name for name in (*SETTINGS, "settings")}
    faults = []
    for key in context:
        if key in SETTINGS or key == "settings" or key in CDK_KEYS:
            continue
        if ":" in key or "@" in key:
            near = difflib.get_close_matches(key, CDK_KEYS, n=1, cutoff=0.9)
            faults += [f"{key} is not a key of CDK's: do you mean {name}?" for name in near]
            continue
        near = difflib.get_close_matches(re.sub("[-_]", "", key.lower()), plain, n=1, cutoff=0.8)
        faults += [f"{key} is not a setting: do you mean {plain[name]}?" for name in near]
    return faults


INSTANCE_FORM = (
    "the ARN of the Amazon Connect instance, in a Region that has Amazon Connect, like "
    "arn:aws:connect:eu-central-1:111122223333:instance/11111111-2222-3333-4444-555555555555"
)
KEY_FORM = (
    "the ARN of a symmetric KMS key in the instance's Region, like "
    "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555, or leave it out"
)
PRODUCERS_FORM = (
    f"at most {MOST_IN_A_LIST} account ids or ARNs of roles, separated by commas, like "
    "222233334444,arn:aws:iam::333344445555:role/crm, or leave it out"
)
RECIPIENTS_FORM = (
    f"at most {MOST_IN_A_LIST} addresses or patterns of them, separated by commas, like *@example.com,ada@example.org, "
    "or leave it out to allow all"
)
RATE_FORM = f"replies a second, from {LOWEST_RATE} to {HIGHEST_RATE}, like 2"
RETRY_FORM = f"hours, above 0 and at most {LONGEST_RETRY_HOURS}, like 6"
RETENTION_FORM = f"a number of days that CloudWatch Logs takes ({', '.join(map(str, RETENTION_DAYS))}), like 90"

# For each name in the context: the field it fills, how it is read, and the form to give it in.
SETTINGS: dict[str, tuple[str, Callable[[object], object], str]] = {
    "instanceArn": ("instance_arn", read.of_an_instance, INSTANCE_FORM),
    "stackName": (
        "stack_name",
        read.matching(STACK_NAME),
        "at most 60 letters, digits and hyphens, like reply-courier-test",
    ),
    "sendRate": ("send_rate", read.number(lambda rate: LOWEST_RATE <= rate <= HIGHEST_RATE), RATE_FORM),
    "retryHours": ("retry_hours", read.number(lambda hours: 0 < hours <= LONGEST_RETRY_HOURS), RETRY_FORM),
    "alarmEmail": ("alarm_email", read.matching(EMAIL), "an email address, like oncall@example.com, or leave it out"),
    "architecture": ("architecture", read.matching(ARCHITECTURE), "arm64 (the default) or x86_64"),
    "logRetentionDays": ("log_retention_days", read.number(lambda days: days in RETENTION_DAYS), RETENTION_FORM),
    "kmsKeyArn": ("kms_key_arn", read.matching(KMS_KEY_ARN), KEY_FORM),
    "producers": ("producers", read.list_of(PRODUCER), PRODUCERS_FORM),
    "allowedRecipients": ("allowed_recipients", read.list_of(RECIPIENT, LONGEST_RECIPIENTS), RECIPIENTS_FORM),
    "eventBusName": (
        "event_bus_name",
        read.matching(EVENT_BUS_NAME),
        "the name of an event bus of the stack's account and Region, like default, or leave it out",
    ),
    "terminationProtection": ("termination_protection", read.switch, "true or false"),
}
