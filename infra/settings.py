"""What a deployment can choose: read from CDK context and checked here, and nowhere else."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

type Architecture = Literal["arm64", "x86_64"]

INSTANCE_ARN = re.compile(
    r"arn:aws(-[a-z]+)*:connect:[a-z]{2}(-[a-z]+)+-\d:\d{12}:instance/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
ARCHITECTURE = re.compile("arm64|x86_64")
EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")

LOWEST_RATE, HIGHEST_RATE = 0.5, 500  # replies a second
LONGEST_RETRY_HOURS = 48  # every receive in the window counts towards the 1000 that SQS allows a message

# PutRetentionPolicy in the CloudWatch Logs API reference: it takes these values and no others.
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545),
    *(731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


class SettingsError(ValueError):
    """Settings that are missing, wrong or misspelt: one message that names all of them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of one deployment.

    Attributes:
        instance_arn: The Amazon Connect instance that sends the replies.
        send_rate: Replies a second, at most: the account's quota for StartOutboundEmailContact, or less.
        retry_hours: How long a reply is tried again, counted from its first receive.
        alarm_email: Who is told of alarms; None subscribes nobody.
        architecture: The function's processor.
        log_retention_days: How long the function's log is kept.
    """

    instance_arn: str
    send_rate: float = 2
    retry_hours: float = 6
    alarm_email: str | None = None
    architecture: Architecture = "arm64"
    log_retention_days: int = 90


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
    if faults:
        raise SettingsError(
            "\n  ".join(["These settings (cdk -c NAME=VALUE, or context in cdk.json) are wrong:", *faults])
        )
    return Settings(**values)  # type: ignore[arg-type]  # SETTINGS pairs each field with the parser of its type


def _matching(pattern: re.Pattern[str]) -> Callable[[object], str]:
    def parse(given: object) -> str:
        if isinstance(given, str) and pattern.fullmatch(given):
            return given
        raise ValueError

    return parse


def _number(fits: Callable[[float], bool]) -> Callable[[object], float]:
    def parse(given: object) -> float:
        number = float(given) if isinstance(given, str) else given
        if isinstance(number, int | float) and not isinstance(number, bool) and fits(number):
            return int(number) if number.is_integer() else number
        raise ValueError

    return parse


def _misspelt(context: Mapping[str, object]) -> list[str]:
    """Name the keys that look like ours but are not; CDK's own keys, and those of other tools, hold `:` or `@`."""
    plain = {name.lower(): name for name in SETTINGS}
    faults = []
    for key in context:
        if key in SETTINGS or ":" in key or "@" in key:
            continue
        near = difflib.get_close_matches(re.sub("[-_]", "", key.lower()), plain, n=1, cutoff=0.8)
        faults += [f"{key} is not a setting: do you mean {plain[name]}?" for name in near]
    return faults


INSTANCE_FORM = (
    "the ARN of the Amazon Connect instance, like "
    "arn:aws:connect:eu-central-1:111122223333:instance/11111111-2222-3333-4444-555555555555"
)
RATE_FORM = f"replies a second, from {LOWEST_RATE} to {HIGHEST_RATE}, like 2"
RETRY_FORM = f"hours, above 0 and at most {LONGEST_RETRY_HOURS}, like 6"
RETENTION_FORM = f"a number of days that CloudWatch Logs takes ({', '.join(map(str, RETENTION_DAYS))}), like 90"

# For each name in the context: the field it fills, how it is read, and the form to give it in.
SETTINGS: dict[str, tuple[str, Callable[[object], object], str]] = {
    "instanceArn": ("instance_arn", _matching(INSTANCE_ARN), INSTANCE_FORM),
    "sendRate": ("send_rate", _number(lambda rate: LOWEST_RATE <= rate <= HIGHEST_RATE), RATE_FORM),
    "retryHours": ("retry_hours", _number(lambda hours: 0 < hours <= LONGEST_RETRY_HOURS), RETRY_FORM),
    "alarmEmail": ("alarm_email", _matching(EMAIL), "an email address, like oncall@example.com, or leave it out"),
    "architecture": ("architecture", _matching(ARCHITECTURE), "arm64 (the default) or x86_64"),
    "logRetentionDays": ("log_retention_days", _number(lambda days: days in RETENTION_DAYS), RETENTION_FORM),
}
