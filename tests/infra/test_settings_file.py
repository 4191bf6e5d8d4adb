"""Settings from a file of their own."""

import json
from pathlib import Path

import pytest

from infra.settings import SettingsError, read_settings
from infra.settings_file import with_file
from tests.infra.conftest import ARN

OTHER = ARN.replace("1111-2222", "9999-2222")


def read(folder: Path, given: object, **context: object) -> object:
    (folder / "prod.json").write_bytes(given if isinstance(given, bytes) else json.dumps(given).encode())
    return read_settings(with_file({"settings": "prod.json", **context}, folder))


def test_what_the_file_leaves_out_has_its_default_and_not_what_another_stack_has(tmp_path: Path) -> None:
    given = {"instanceArn": ARN, "stackName": "prod", "producers": ["222233334444"]}
    of_cdk_json = {"instanceArn": OTHER, "sendRate": 50, "alarmEmail": "test@example.com"}
    (tmp_path / "cdk.json").write_text(json.dumps({"context": of_cdk_json}))
    settings = read(tmp_path, given, **of_cdk_json)
    assert settings == read_settings(given)
    with pytest.raises(SettingsError, match="instanceArn is missing"):
        read(tmp_path, {}, **of_cdk_json)


def test_a_setting_given_beside_the_file_is_not_left_out_silently(tmp_path: Path) -> None:
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {"sendRate": 2, "stackName": "a"}}))
    with pytest.raises(SettingsError, match="-c sendRate is given beside it: write sendRate into the file"):
        read(tmp_path, {"instanceArn": ARN}, sendRate="5", stackName="a")


def test_keys_of_cdks_own_may_be_in_the_file(tmp_path: Path) -> None:
    key = "@aws-cdk/core:permissionsBoundary"
    (tmp_path / "prod.json").write_text(json.dumps({"instanceArn": ARN, key: {"name": "limits"}}))
    assert with_file({"settings": "prod.json"}, tmp_path)[key] == {"name": "limits"}


@pytest.mark.parametrize("misspelt", ["setting", "Settings"])
def test_a_misspelt_settings_deploys_no_other_stack(misspelt: str) -> None:
    with pytest.raises(SettingsError, match=f"{misspelt} is not a setting: do you mean settings"):
        read_settings({"instanceArn": ARN, misspelt: "prod.json"})


def test_without_a_file_the_context_is_as_it_was(tmp_path: Path) -> None:
    assert with_file({"sendRate": 2}, tmp_path) == {"sendRate": 2}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"instanceArn": ARN, "rate": 5, "tags": "x"}, r"wrong:\n  rate is not a setting.*\n  tags is not a setting"),
        ({"instanceArn": ARN, "alarmEmial": "x"}, "do you mean alarmEmail"),
        ({"instanceArn": ARN, "sendRate": 0}, "sendRate is 0"),
        ([], "not a JSON object"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"sendRate": 1, "sendRate": 7}', "a name is there twice"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_whatever_is_wrong_with_the_file_is_said(tmp_path: Path, given: object, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        read(tmp_path, given)


@pytest.mark.parametrize("named", ["none.json", ".", 5, "x\0y"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, named: object) -> None:
    with pytest.raises(SettingsError, match=r"settings"):
        with_file({"settings": named}, tmp_path)
