import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.settings import CDK_KEYS, SETTINGS, Settings, SettingsError, read_settings
from tests.infra.conftest import ARN, KEY

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)

ROLE = "arn:aws:iam::333344445555:role/crm"


def test_only_the_instance_is_required() -> None:
    assert read_settings({"instanceArn": ARN}) == Settings(instance_arn=ARN)


def test_values_from_the_command_line_and_from_cdk_json_mean_the_same() -> None:
    rest = {"instanceArn": ARN, "alarmEmail": "oncall@example.com", "architecture": "x86_64"}
    from_command_line = read_settings(rest | {"sendRate": "2.5", "retryHours": "0.5", "logRetentionDays": "30"})
    from_cdk_json = read_settings(rest | {"sendRate": 2.5, "retryHours": 0.5, "logRetentionDays": 30})

    assert (
        from_command_line
        == from_cdk_json
        == Settings(
            ARN,
            send_rate=2.5,
            retry_hours=0.5,
            alarm_email="oncall@example.com",
            architecture="x86_64",
            log_retention_days=30,
        )
    )
    assert type(from_command_line.log_retention_days) is int


def test_lists_and_switches_from_the_command_line_and_from_cdk_json_mean_the_same() -> None:
    from_command_line = read_settings(
        {"instanceArn": ARN, "producers": f"222233334444, {ROLE}", "allowedRecipients": "*@example.com,ada@example.org"}
        | {"terminationProtection": "true", "stackName": "test", "kmsKeyArn": KEY}
    )
    from_cdk_json = read_settings(
        {
            "instanceArn": ARN,
            "producers": ["222233334444", ROLE],
            "allowedRecipients": ["*@example.com", "ada@example.org"],
        }
        | {"terminationProtection": True, "stackName": "test", "kmsKeyArn": KEY}
    )
    assert from_command_line == from_cdk_json
    assert from_command_line.producers == ("222233334444", ROLE)
    assert from_command_line.allowed_recipients == ("*@example.com", "ada@example.org")
    assert from_command_line.termination_protection


def test_account_and_region_are_the_instances() -> None:
    assert read_settings({"instanceArn": ARN}).instance == {
        "partition": "aws",
        "region": "eu-central-1",
        "account": "111122223333",
    }


def test_a_key_of_another_region_is_refused() -> None:
    with pytest.raises(SettingsError, match="kmsKeyArn is a key of another Region"):
        read_settings({"instanceArn": ARN, "kmsKeyArn": KEY.replace("eu-central-1", "us-east-1")})


def test_null_in_cdk_json_means_the_default() -> None:
    assert read_settings({"instanceArn": ARN, "alarmEmail": None, "sendRate": None}) == Settings(instance_arn=ARN)


def test_other_partitions_have_instances_too() -> None:
    for partition, region in [("aws-us-gov", "us-gov-west-1"), ("aws", "us-east-1")]:
        arn = f"arn:{partition}:connect:{region}:111122223333:instance/11111111-2222-3333-4444-555555555555"
        assert read_settings({"instanceArn": arn}).instance_arn == arn


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("instanceArn", ""),
        ("instanceArn", "11111111-2222-3333-4444-555555555555"),
        ("instanceArn", ARN + "/contact/1"),
        ("instanceArn", ARN + "\n"),
        ("instanceArn", ARN.replace("111122223333", "")),
        ("instanceArn", ARN.replace("connect", "sqs")),
        ("instanceArn", ARN.replace("eu-central-1", "eu-central-9")),
        ("instanceArn", ARN.replace("arn:aws:", "arn:aws-us-gov:")),
        ("instanceArn", ARN.replace("arn:aws:", "arn:aws-cn:").replace("eu-central-1", "cn-north-1")),
        ("stackName", "reply courier"),
        ("stackName", "1st"),
        ("stackName", "x" * 61),
        ("kmsKeyArn", "alias/ours"),
        ("kmsKeyArn", KEY.replace("key/", "alias/")),
        ("producers", "*"),
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
        ("terminationProtection", "yes"),
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
        ("architecture", "arm"),
        ("architecture", "arm64 "),
        ("logRetentionDays", "31"),
        ("logRetentionDays", 1.5),
        ("logRetentionDays", "forever"),
    ],
)
def test_a_wrong_value_is_named_with_an_example_of_the_right_form(name: str, value: object) -> None:
    with pytest.raises(SettingsError) as faults:
        read_settings({"instanceArn": ARN, name: value})

    (fault,) = str(faults.value).splitlines()[1:]
    _, _, form = SETTINGS[name]
    assert fault.strip() == f"{name} is {value!r}: give {form}"


def test_one_message_names_every_fault() -> None:
    with pytest.raises(SettingsError) as faults:
        read_settings({"sendRate": "0", "retryHours": "99", "logRetentionDays": "2"})

    message = str(faults.value)
    assert "instanceArn is missing: give the ARN of the Amazon Connect instance, in a Region that" in message
    assert all(f"{name} is " in message for name in ("sendRate", "retryHours", "logRetentionDays"))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sendrate", "sendRate"),
        ("send-rate", "sendRate"),
        ("instance_arn", "instanceArn"),
        ("InstanceARN", "instanceArn"),
        ("alarmMail", "alarmEmail"),
        ("logRetentionDay", "logRetentionDays"),
    ],
)
def test_a_misspelt_name_is_a_fault_and_not_ignored(typed: str, meant: str) -> None:
    with pytest.raises(SettingsError, match=rf"{typed} is not a setting: do you mean {meant}\?"):
        read_settings({"instanceArn": ARN, typed: "2"})


@pytest.mark.parametrize("meant", CDK_KEYS)
def test_a_misspelt_key_of_cdks_that_decides_where_to_deploy_is_a_fault(meant: str) -> None:
    read_settings({"instanceArn": ARN, meant: "courier"})
    with pytest.raises(SettingsError, match=rf"is not a key of CDK's: do you mean {meant}\?"):
        read_settings({"instanceArn": ARN, meant.replace("ss", "s").replace("Qual", "Qal"): "courier"})


def test_context_that_is_not_ours_is_left_alone() -> None:
    others = {"@aws-cdk/core:checkSecretUsage": True, "aws:cdk:bundling-stacks": ["**"], "cli-telemetry": False}
    assert read_settings({"instanceArn": ARN, **others}) == Settings(instance_arn=ARN)


@given(st.dictionaries(st.sampled_from(list(SETTINGS)) | st.text(), JSON))
def test_any_context_gives_settings_or_the_one_message(context: dict[str, object]) -> None:
    try:
        read_settings(context)
    except SettingsError as faults:
        assert len(str(faults).splitlines()) > 1  # noqa: PT017 - whether it fails is the generated context's choice
