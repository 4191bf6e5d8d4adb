"""Settings from CDK context and from a stage, and what is said of wrong ones."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from infra.settings import (
    CDK_KEYS,
    FORMS,
    MOST_RECIPIENT_BYTES,
    Settings,
    SettingsError,
    StackSettings,
    cdk_keys,
    context_in_files,
    read_settings,
)
from tests.infra.conftest import ARN, KEY, Synthesise, the_one

ROLE = "arn:aws:iam::333344445555:role/crm"
OTHER = ARN.replace("1111-2222", "9999-2222")
ARABIC = str.maketrans("0123456789", "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669")


def test_only_the_instance_is_required() -> None:
    assert read_settings({"instanceArn": ARN}) == StackSettings(instance_arn=ARN)


def test_values_from_the_command_line_and_from_cdk_json_mean_the_same() -> None:
    from_command_line = read_settings(
        {"instanceArn": ARN, "sendRate": "2.5", "retryHours": "0.5", "logRetentionDays": "30", "stackName": "test"}
        | {"producers": f"222233334444, {ROLE}", "allowedRecipients": "*@example.com,ada@example.org"}
        | {"terminationProtection": "true", "kmsKeyArn": KEY, "alarmEmail": "oncall@example.com"}
        | {"architecture": "x86_64", "eventBusName": "default"}
    )
    from_cdk_json = read_settings(
        {"instanceArn": ARN, "sendRate": 2.5, "retryHours": 0.5, "logRetentionDays": 30, "stackName": "test"}
        | {"producers": ["222233334444", ROLE], "allowedRecipients": ["*@example.com", "ada@example.org"]}
        | {"terminationProtection": True, "kmsKeyArn": KEY, "alarmEmail": "oncall@example.com"}
        | {"architecture": "x86_64", "eventBusName": "default"}
    )
    typed = StackSettings(
        instance_arn=ARN,
        send_rate=2.5,
        retry_hours=0.5,
        log_retention_days=30,
        stack_name="test",
        producers=("222233334444", ROLE),
        allowed_recipients=("*@example.com", "ada@example.org"),
        termination_protection=True,
        kms_key_arn=KEY,
        alarm_email="oncall@example.com",
        architecture="x86_64",
        event_bus_name="default",
    )
    assert from_command_line == from_cdk_json == typed
    assert type(from_command_line.log_retention_days) is int


def test_settings_are_checked_when_another_app_makes_them() -> None:
    with pytest.raises(ValidationError, match="less than or equal to 500"):
        Settings(instance_arn=ARN, send_rate=501)


def test_account_and_region_are_the_instances() -> None:
    assert read_settings({"instanceArn": ARN}).instance == {
        "partition": "aws",
        "region": "eu-central-1",
        "account": "111122223333",
    }


def test_null_in_cdk_json_means_the_default() -> None:
    given = {"instanceArn": ARN, "alarmEmail": None, "sendRate": None}
    assert read_settings(given) == StackSettings(instance_arn=ARN)


def test_other_partitions_have_instances_too() -> None:
    for partition, region in [("aws-us-gov", "us-gov-west-1"), ("aws", "us-east-1")]:
        arn = f"arn:{partition}:connect:{region}:111122223333:instance/11111111-2222-3333-4444-555555555555"
        key = KEY.replace("arn:aws:", f"arn:{partition}:").replace("eu-central-1", region)
        assert read_settings({"instanceArn": arn, "kmsKeyArn": key}).instance_arn == arn


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("instanceArn", ""),
        ("instanceArn", "11111111-2222-3333-4444-555555555555"),
        ("instanceArn", ARN + "/contact/1"),
        ("instanceArn", ARN + "\n"),
        ("instanceArn", ARN.replace("111122223333", "")),
        ("instanceArn", ARN.replace("111122223333", "111122223333".translate(ARABIC))),
        ("instanceArn", ARN.replace("connect", "sqs")),
        ("instanceArn", ARN.replace("eu-central-1", "eu-central-9")),
        ("instanceArn", ARN.replace("arn:aws:", "arn:aws-us-gov:")),
        ("instanceArn", ARN.replace("arn:aws:", "arn:aws-cn:").replace("eu-central-1", "cn-north-1")),
        ("stackName", "reply courier"),
        ("stackName", "1st"),
        ("stackName", "x" * 61),
        ("kmsKeyArn", "alias/ours"),
        ("kmsKeyArn", KEY.replace("key/", "alias/")),
        ("kmsKeyArn", KEY.replace("eu-central-1", "us-east-1")),
        ("kmsKeyArn", KEY.replace("arn:aws:", "arn:aws-us-gov:")),
        ("kmsKeyArn", KEY.replace("111122223333", "111122223333".translate(ARABIC))),
        ("producers", "*"),
        ("producers", "222233334444".translate(ARABIC)),
        ("producers", ROLE.replace("333344445555", "333344445555".translate(ARABIC))),
        ("producers", ROLE.replace("/crm", "//crm")),
        ("producers", ROLE.replace("/crm", "/")),
        ("producers", f"{ROLE}/"),
        ("producers", f"{ROLE}//crm"),
        ("producers", f"222233334444,{ROLE.replace('arn:aws:', 'arn:aws-us-gov:')}"),
        ("producers", {"222233334444": 1}),
        ("producers", ""),
        ("producers", ["arn:aws:s3:::bucket"]),
        ("producers", [7]),
        ("producers", ["222233334444"] * 51),
        ("allowedRecipients", "example.com"),
        ("sendRate", "1_0"),
        ("sendRate", "\u0665"),
        ("allowedRecipients", "*@example.com ada@example.org"),
        ("allowedRecipients", ["[a-z]@example.com"]),
        ("allowedRecipients", [f"{'x' * 60}{n}@example.com" for n in range(40)]),
        ("allowedRecipients", ["\u20ac" * 1_990 + "@example"]),
        ("allowedRecipients", ["*@example.com\0"]),
        ("eventBusName", "a b"),
        ("terminationProtection", "yes"),
        ("terminationProtection", 1),
        ("terminationProtection", []),
        ("sendRate", "fast"),
        ("sendRate", 0.49),
        ("sendRate", "500.1"),
        ("sendRate", True),
        ("sendRate", math.nan),
        ("sendRate", "inf"),
        ("sendRate", 10**400),
        ("sendRate", [2]),
        ("retryHours", "0"),
        ("retryHours", -1),
        ("retryHours", 48.5),
        ("alarmEmail", ""),
        ("alarmEmail", "oncall"),
        ("alarmEmail", 7),
        ("alarmEmail", "on\0call@example.com"),
        ("alarmEmail", "oncall@example.com\x7f"),
        ("alarmEmail", "oncall@example.com\n"),
        ("architecture", "arm"),
        ("architecture", "arm64 "),
        ("logRetentionDays", "31"),
        ("logRetentionDays", 1.5),
        ("logRetentionDays", True),
        ("logRetentionDays", "forever"),
    ],
)
def test_a_wrong_value_is_named_with_an_example_of_the_right_form(name: str, value: object) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings({"instanceArn": ARN, name: value})

    (line,) = str(error.value).splitlines()[1:]
    assert line.strip() == f"{name} is {value!r}: give {FORMS[name]}"


def test_one_message_names_every_error() -> None:
    wrong = {"sendRate": "0", "retryHours": "99", "logRetentionDays": "2", "sendrat": 1, "producers": ["1", "2"]}
    with pytest.raises(SettingsError) as error:
        read_settings(wrong)

    first, *lines = str(error.value).splitlines()
    assert first == "These settings are invalid (context in cdk.json, or -c NAME=VALUE):"
    assert len(lines) == len(wrong) + 1
    assert any("instanceArn is missing: give the ARN of the Amazon Connect instance" in line for line in lines)
    assert all(any(f"{name} is " in line for line in lines) for name in wrong if name != "sendrat")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sendrate", "sendRate"),
        ("send-rate", "sendRate"),
        ("instance_arn", "instanceArn"),
        ("InstanceARN", "instanceArn"),
        ("alarmMail", "alarmEmail"),
        ("logRetentionDay", "logRetentionDays"),
        ("sendRate:", "sendRate"),
        ("rate", "sendRate"),
        ("sattings", ""),
        ("\ud800", ""),
    ],
)
def test_an_unknown_setting_is_an_error_that_names_the_nearest(typed: str, meant: str) -> None:
    for context in (
        {"instanceArn": ARN, typed: "2"},
        {"stage": "prod", "stages": {"prod": {"instanceArn": ARN, typed: "2"}}},
    ):
        with pytest.raises(SettingsError, match=rf" is not a setting: the nearest one is {meant}") as error:
            read_settings(context)
        assert repr(typed) in str(error.value)


def test_a_misspelt_stage_deploys_no_other_stack() -> None:
    with pytest.raises(SettingsError, match="'Stage' is not a setting: the nearest one is stage"):
        read_settings({"instanceArn": ARN, "Stage": "prod"})


@pytest.mark.parametrize("meant", CDK_KEYS)
def test_a_misspelt_key_of_cdks_that_decides_where_to_deploy_is_a_fault(meant: str) -> None:
    read_settings({"instanceArn": ARN, meant: "courier"})
    with pytest.raises(SettingsError, match=rf"is not a key of CDK: the nearest one is {meant}"):
        read_settings({"instanceArn": ARN, meant.replace("ss", "s").replace("Qual", "Qal"): "courier"})


def test_cdks_own_keys_are_no_settings() -> None:
    others = {"@aws-cdk/core:checkSecretUsage": True, "aws:cdk:bundling-stacks": ["**"], "cli-telemetry": False}
    lookup = {"availability-zones:account=111122223333:region=eu-central-1": ["a"], "acknowledged-issue-numbers": [1]}
    assert read_settings({"instanceArn": ARN, **others, **lookup}) == StackSettings(instance_arn=ARN)


ODD: list[object] = [
    None,
    True,
    -1,
    0,
    2,
    0.5,
    math.nan,
    10**400,
    "",
    "2",
    "\0",
    "\ud800",
    ARN,
    KEY,
    ROLE,
    [],
    [[]],
    ["a@b"],
    {"a": 1},
]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([*FORMS, "stage", "stages"]) | st.text(max_size=5), st.sampled_from(ODD)))
def test_any_context_gives_settings_or_the_one_message(context: dict[str, object]) -> None:
    try:
        read_settings(context)
    except SettingsError as error:
        str(error).encode()  # can be printed
        assert "give " in str(error) or "the nearest one is" in str(error)  # noqa: PT017 - an error is a valid outcome


def test_the_functions_variables_have_room_for_the_longest_recipients(synthesise: Synthesise) -> None:
    """4 KB in all (Lambda quotas); what CloudFormation fills in is counted at its longest."""
    longest = [f"{'x' * 61}{n:02}@example.com" for n in range(26)]
    assert MOST_RECIPIENT_BYTES - 80 < len(" ".join(longest)) <= MOST_RECIPIENT_BYTES
    template = synthesise(stackName="x" * 60, allowedRecipients=longest, eventBusName="x" * 256)
    variables = the_one(template, "AWS::Lambda::Function")["Environment"]["Variables"]
    filled_in = 200  # https://sqs.us-gov-west-1.amazonaws.com/111122223333/ and 80 characters
    used = sum(len(name) + (len(value) if isinstance(value, str) else filled_in) for name, value in variables.items())
    assert used < 4_000


def stage(given: object, **top: object) -> StackSettings:
    """The settings of a stage, beside what cdk.json has at the top of its context."""
    return read_settings({"stage": "prod", "stages": {"test": {}, "prod": given}, **top}, top)


def test_what_a_stage_omits_has_its_default_whatever_cdk_json_says() -> None:
    given = {"instanceArn": ARN, "stackName": "prod", "producers": ["222233334444"]}
    top = {"instanceArn": OTHER, "sendRate": 50, "alarmEmail": "test@example.com"}
    assert stage(given, **top) == read_settings(given)
    with pytest.raises(SettingsError, match=r"invalid \(context.stages.prod\):\n  instanceArn is missing"):
        stage({}, **top)


def test_a_setting_given_beside_the_stage_is_not_left_out_silently() -> None:
    in_files = {"sendRate": 2, "stackName": "a"}
    context = {**in_files, "stage": "prod", "stages": {"prod": {"instanceArn": ARN}}, "sendRate": "5"}
    with pytest.raises(SettingsError) as error:
        read_settings(context, in_files)
    (line,) = str(error.value).splitlines()[1:]
    assert line.strip() == "sendRate is given beside the stage: write it into context.stages.prod"


def test_a_misspelt_setting_beside_the_stage_is_an_error() -> None:
    with pytest.raises(SettingsError, match="'sendrate' is not a setting: the nearest one is sendRate"):
        stage({"instanceArn": ARN}, sendrate="5")
    with pytest.raises(SettingsError, match="'cli-telemetry' is not a setting"):
        stage({"instanceArn": ARN, "cli-telemetry": False})


def test_the_files_context_is_cdks_own_with_cdk_json_first(tmp_path: Path) -> None:
    assert context_in_files(tmp_path) == {}
    (tmp_path / "cdk.json").write_text(json.dumps({"app": "python app.py", "context": {"sendRate": 2}}))
    (tmp_path / "cdk.context.json").write_text(json.dumps({"sendRate": 3, "stages": {"prod": {}}}))
    assert context_in_files(tmp_path) == {"sendRate": 2, "stages": {"prod": {}}}


def test_keys_of_cdks_own_may_be_in_a_stage() -> None:
    key = "@aws-cdk/core:permissionsBoundary"
    given = {"instanceArn": ARN, key: {"name": "limits"}}
    assert stage(given) == read_settings({"instanceArn": ARN})
    assert cdk_keys({"stage": "prod", "stages": {"prod": given}, key: {"name": "others"}}) == {key: {"name": "limits"}}
    assert cdk_keys({"stages": {"prod": given}}) == {}


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (
            {"stage": "prd", "stages": {"prod": {}, "test": {}}},
            r"stage is 'prd': give a name in stages .* \(prod, test\)",
        ),
        ({"stage": "prod"}, r"give a name in stages of cdk.json or cdk.context.json \(none yet\)"),
        ({"stage": ["prod"], "stages": {"prod": {}}}, "give a name in stages"),
        ({"stage": "prod", "stages": "prod"}, "give an object for each stage"),
        ({"stage": "prod", "stages": {"prod": []}}, "give an object for each stage"),
    ],
)
def test_a_stage_that_does_not_exist_is_an_error(context: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_settings(context)
