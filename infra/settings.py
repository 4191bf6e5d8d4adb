"""What a deployment can choose: the settings, their checks, and how CDK context becomes settings."""

import difflib
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from botocore.session import Session
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel

INSTANCE_ARN = (
    "^arn:aws(-[a-z]+)*:connect:[a-z]{2}(-[a-z]+)+-[0-9]:[0-9]{12}:instance/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
)
KMS_KEY_ARN = "^arn:aws(-[a-z]+)*:kms:[a-z]{2}(-[a-z]+)+-[0-9]:[0-9]{12}:key/[A-Za-z0-9-]{1,64}$"
IAM_NAME = "[A-Za-z0-9_+=,.@-]"
PRODUCER = f"^([0-9]{{12}}|arn:aws(-[a-z]+)*:iam::[0-9]{{12}}:(root|(role|user)/({IAM_NAME}+/)*{IAM_NAME}{{1,64}}))$"
# fnmatch's other special characters, ? and [], are not allowed. Lambda accepts no control characters.
RECIPIENT = r"^[^\s@,?\[\]\x00-\x1f\x7f-\x9f]+@[^\s@,?\[\]\x00-\x1f\x7f-\x9f]+$"
EMAIL = r"^[!-?A-~]+@[!-?A-~]+\.[!-?A-~]+$"  # the printable ASCII characters without @
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")  # float() also accepts 1_0 and digits of other scripts
MOST_IN_A_LIST = 50
MOST_RECIPIENT_BYTES = 2_000  # all of a function's environment variables together hold 4 KB (Lambda quotas)
# PutRetentionPolicy in the CloudWatch Logs API reference accepts these values only.
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545),
    *(731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
CDK_KEYS = ("@aws-cdk/core:bootstrapQualifier", "@aws-cdk/core:permissionsBoundary")
"""CDK would silently ignore a misspelling of these, and deploy elsewhere or without the boundary (docs/deploy.md)."""
CDK_KEY = re.compile("@|[a-z0-9-]+:.")  # how CDK's other keys start, such as aws:cdk:… and vpc-provider:…
CLI_KEYS = ("cli-telemetry", "acknowledged-issue-numbers")  # the CDK command line writes these into cdk.json


class SettingsError(ValueError):
    """The settings are missing, invalid or misspelt; the message lists every error."""


def _number(value: object) -> object:
    """Turn text from `-c NAME=VALUE` into a number, and a whole number into an int."""
    if isinstance(value, str) and NUMBER.fullmatch(value):
        value = float(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _items(value: object) -> object:
    """Split text from `-c NAME=VALUE` at its commas."""
    return [item.strip() for item in value.split(",")] if isinstance(value, str) else value


def _switch(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _retention(days: int) -> int:
    if days not in RETENTION_DAYS:
        raise ValueError("CloudWatch Logs doesn't accept this number of days")
    return days


def _short(recipients: tuple[str, ...]) -> tuple[str, ...]:
    if len(" ".join(recipients).encode()) > MOST_RECIPIENT_BYTES:
        raise ValueError(f"the patterns have more than {MOST_RECIPIENT_BYTES} bytes in all")
    return recipients


@cache
def _regions(partition: str) -> list[str]:
    return Session().get_available_regions("connect", partition)


def _instance_region(arn: str) -> str:
    _, partition, _, region, _, _ = arn.split(":")
    if region not in _regions(partition):
        raise ValueError("this Region doesn't have Amazon Connect, or belongs to another partition")
    return arn


type Number = Annotated[float, BeforeValidator(_number), Field(strict=True, allow_inf_nan=False)]
type Producer = Annotated[str, Field(pattern=PRODUCER, max_length=616)]
type Recipient = Annotated[str, Field(pattern=RECIPIENT)]


class Settings(BaseModel):
    """The choices of one deployment, checked when they are made. The descriptions say what form a value has.

    Attributes:
        instance_arn: The Amazon Connect instance that sends the replies. The stack is in its account and Region.
        send_rate: Replies a second: the account's quota for StartOutboundEmailContact, or less. With CreateContact, the
            smaller of both quotas, or less.
        retry_hours: How long the function retries a reply, from its first receive.
        alarm_email: The address that gets the alarms, besides the alarm topic.
        architecture: The function's processor.
        log_retention_days: How long CloudWatch keeps the function's log.
        kms_key_arn: A customer managed key for queues, bucket, table, logs and alarms, instead of AWS's keys.
        producers: Accounts, roles and users of other accounts that may send replies.
        allowed_recipients: Patterns such as `*@example.com`. If there are any, only matching addresses get replies.
        event_bus_name: An event bus in the stack's account and Region that gets each reply's outcome.

    Raises:
        ValidationError: A value is invalid.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)

    instance_arn: Annotated[
        str,
        AfterValidator(_instance_region),
        Field(
            pattern=INSTANCE_ARN,
            description="the ARN of the Amazon Connect instance, in a Region that has Amazon Connect, like "
            "arn:aws:connect:eu-central-1:111122223333:instance/11111111-2222-3333-4444-555555555555",
        ),
    ]
    send_rate: Annotated[Number, Field(ge=0.5, le=500, description="replies a second, from 0.5 to 500, like 2")] = 2
    # Each receive in the retry window counts towards the 1,000 that SQS allows a message.
    retry_hours: Annotated[Number, Field(gt=0, le=48, description="hours, above 0 and at most 48, like 6")] = 6
    alarm_email: Annotated[
        str | None, Field(pattern=EMAIL, description="an email address, like oncall@example.com, or leave it out")
    ] = None
    architecture: Annotated[Literal["arm64", "x86_64"], Field(description="arm64 (the default) or x86_64")] = "arm64"
    log_retention_days: Annotated[
        int,
        BeforeValidator(_number),
        AfterValidator(_retention),
        Field(
            strict=True,
            description=f"a number of days that CloudWatch Logs accepts ({str(RETENTION_DAYS)[1:-1]}), like 90",
        ),
    ] = 90
    kms_key_arn: Annotated[
        str | None,
        Field(
            pattern=KMS_KEY_ARN,
            description="the ARN of a symmetric KMS key in the instance's partition and Region, like "
            "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555, or leave it out",
        ),
    ] = None
    producers: Annotated[
        tuple[Producer, ...],
        BeforeValidator(_items),
        Field(
            max_length=MOST_IN_A_LIST,
            description=f"at most {MOST_IN_A_LIST} account ids or ARNs of roles in the instance's partition, separated "
            "by commas, like 222233334444,arn:aws:iam::333344445555:role/crm, or leave it out",
        ),
    ] = ()
    allowed_recipients: Annotated[
        tuple[Recipient, ...],
        BeforeValidator(_items),
        AfterValidator(_short),
        Field(
            max_length=MOST_IN_A_LIST,
            description=f"at most {MOST_IN_A_LIST} addresses or patterns, {MOST_RECIPIENT_BYTES} bytes in all, "
            "separated by commas, like *@example.com,ada@example.org, or leave it out to allow all",
        ),
    ] = ()
    event_bus_name: Annotated[
        str | None,
        Field(
            pattern="^[A-Za-z0-9._-]{1,256}$",  # PutEvents in the EventBridge API reference
            description="the name of an event bus in the stack's account and Region, like default, or leave it out",
        ),
    ] = None

    @field_validator("kms_key_arn")
    @classmethod
    def _is_near_the_instance(cls, key: str | None, info: ValidationInfo) -> str | None:
        instance = info.data.get("instance_arn")
        if key and instance and key.split(":")[1:4:2] != instance.split(":")[1:4:2]:
            raise ValueError("this key is in another partition or Region than the instance")
        return key

    @field_validator("producers")
    @classmethod
    def _are_in_the_partition(cls, producers: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        instance = info.data.get("instance_arn", "")
        if instance and any(arn.split(":")[1] != instance.split(":")[1] for arn in producers if not arn.isdigit()):
            raise ValueError("a producer is in another partition than the instance")
        return producers

    @property
    def instance(self) -> dict[str, str]:
        """The instance's `partition`, `region` and `account`, which the stack shares."""
        _, partition, _, region, account, _ = self.instance_arn.split(":")
        return {"partition": partition, "region": region, "account": account}


class StackSettings(Settings):
    """The choices for this project's own stack.

    Attributes:
        stack_name: The name of the CloudFormation stack and of the queue, and the `service` in metrics and traces.
        termination_protection: Whether CloudFormation refuses to delete the stack.
    """

    stack_name: Annotated[
        str,
        Field(
            pattern="^[A-Za-z][A-Za-z0-9-]{0,59}$",
            description="at most 60 letters, digits and hyphens, like reply-courier-test",
        ),
    ] = "reply-courier"
    termination_protection: Annotated[
        bool, BeforeValidator(_switch), Field(strict=True, description="true or false")
    ] = False


FORMS = {field.alias: field.description for field in StackSettings.model_fields.values() if field.alias}
"""For each setting, by its name in CDK context, the form of its values."""


def read_settings(context: Mapping[str, object], in_files: Mapping[str, object] | None = None) -> StackSettings:
    """Read the settings from CDK context, or from `context.stages.NAME` with `-c stage=NAME`.

    A stage inherits nothing: a setting that it omits has its default. Values from `-c` are text; those from files can
    be any JSON, and null means the default.

    Args:
        context: CDK context.
        in_files: What `context_in_files` returns.

    Raises:
        SettingsError: With every error, each with an example of a valid value.
    """
    stage = _stage(context)
    chosen = context if stage is None else stage
    errors = [error for key in context if (error := _name_error(key, (*FORMS, "stage", "stages", *CLI_KEYS)))]
    if stage is not None:
        errors += [error for key in stage if (error := _name_error(key, tuple(FORMS)))]
        errors += [
            f"{name} is given beside the stage: write it into context.stages.{context['stage']}"
            for name in FORMS
            if name in context and context[name] != (in_files or {}).get(name)
        ]
    values = {name: chosen[name] for name in FORMS if chosen.get(name) is not None}
    try:
        settings = StackSettings.model_validate(values)
    except ValidationError as error:
        wrong = dict.fromkeys(str(each["loc"][0]) for each in error.errors())
        errors += [
            f"{name} is {repr(values[name]) if name in values else 'missing'}: give {FORMS[name]}" for name in wrong
        ]
    else:
        if not errors:
            return settings
    place = "context in cdk.json, or -c NAME=VALUE" if stage is None else f"context.stages.{context['stage']}"
    raise SettingsError("\n  ".join([f"These settings are invalid ({place}):", *errors]))


def cdk_keys(context: Mapping[str, object]) -> dict[str, object]:
    """Return CDK's own keys in the chosen stage, which take precedence over those at the top of the context."""
    return {key: value for key, value in (_stage(context) or {}).items() if CDK_KEY.match(key)}


def context_in_files(folder: Path) -> dict[str, object]:
    """Return the context of a folder's cdk.context.json and cdk.json, as it is without `-c`."""
    context: dict[str, object] = {}
    for name in ("cdk.context.json", "cdk.json"):
        if (folder / name).exists():
            content = json.loads((folder / name).read_bytes())
            context |= content.get("context", {}) if name == "cdk.json" else content
    return context


def _stage(context: Mapping[str, object]) -> Mapping[str, object] | None:
    name, stages = context.get("stage"), context.get("stages") or {}
    if name is None:
        return None
    if not isinstance(stages, Mapping) or not all(isinstance(stage, Mapping) for stage in stages.values()):
        raise SettingsError(f'stages is {stages!r}: give an object for each stage, like {{"prod": {{"sendRate": 2}}}}')
    if not isinstance(name, str) or name not in stages:
        known = ", ".join(stages) or "none yet"
        raise SettingsError(f"stage is {name!r}: give a name in stages of cdk.json or cdk.context.json ({known})")
    stage: Mapping[str, object] = stages[name]
    return stage


def _name_error(key: str, names: tuple[str, ...]) -> str | None:
    """Say what is wrong with a key that should be one of these names, or one of CDK's."""
    if key in names or key in CDK_KEYS:
        return None
    if CDK_KEY.match(key):
        near = difflib.get_close_matches(key, CDK_KEYS, n=1, cutoff=0.9)
        return f"{key!r} is not a key of CDK: the nearest one is {near[0]}" if near else None
    plain = {name.lower(): name for name in names}
    near = difflib.get_close_matches(re.sub("[-_]", "", key.lower()), plain, n=1, cutoff=0)
    return f"{key!r} is not a setting: the nearest one is {plain[near[0]]}"
