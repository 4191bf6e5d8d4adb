"""The app as CDK runs it: `python app.py`, with the context in its environment."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from aws_cdk import Validations
from aws_cdk.aws_sqs import Queue
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.stack import ReplyCourierStack
from tests.infra.conftest import ARN, KEY, compose, resources

PROJECT = Path(__file__).parents[2]
TEN: list[dict[str, object]] = [
    {"sendRate": "0.5", "retryHours": "48"},
    {"sendRate": 500, "retryHours": 0.1, "stackName": "fast"},
    {"architecture": "x86_64", "logRetentionDays": 1},
    {"alarmEmail": "oncall@example.com", "terminationProtection": True},
    {"kmsKeyArn": KEY},
    {"kmsKeyArn": KEY, "alarmEmail": "oncall@example.com", "producers": ["222233334444"]},
    {"producers": "222233334444,arn:aws:iam::333344445555:role/crm"},
    {"allowedRecipients": ["*@example.com", "ada@example.org"], "stackName": "test"},
    {"instanceArn": ARN.replace("arn:aws:", "arn:aws-us-gov:").replace("eu-central-1", "us-gov-west-1")},
    {"instanceArn": ARN.replace("eu-central-1", "us-east-1"), "sendRate": 10, "stackName": "x" * 60},
]


def run_app(folder: Path, context: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """Run app.py as `cdk synth` does, in an environment that holds no credentials and no region."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    environment |= {"CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": json.dumps(context)}
    return subprocess.run(
        [sys.executable, "app.py"], cwd=PROJECT, env=environment, check=False, capture_output=True, text=True
    )


def test_wrong_settings_end_in_one_message_and_no_traceback(tmp_path: Path) -> None:
    ended = run_app(tmp_path, {"stage": "prod", "stages": {"prod": {"sendRate": "fast", "alarmMail": "a@b.example"}}})

    assert ended.returncode != 0
    for error in ("instanceArn is missing", "sendRate is 'fast'", "'alarmMail' is not a setting", "is alarmEmail"):
        assert error in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.iterdir())


def test_a_stage_synthesises_offline_with_its_boundary_and_qualifier(tmp_path: Path) -> None:
    """docs/deploy.md, "In an organisation". The template names no folder of this machine."""
    keys = {"permissionsBoundary": {"name": "limits"}, "bootstrapQualifier": "courier"}
    stage = {"instanceArn": ARN, **{f"@aws-cdk/core:{name}": value for name, value in keys.items()}}
    of_cdk_json = json.loads((PROJECT / "cdk.json").read_text())["context"]
    ended = run_app(tmp_path, {**of_cdk_json, "stage": "prod", "stages": {"prod": stage}})
    assert ended.returncode == 0, ended.stderr

    manifest = (tmp_path / "manifest.json").read_text()
    stack = json.loads(manifest)["artifacts"]["reply-courier"]
    assert stack["environment"] == "aws://111122223333/eu-central-1"
    assert set(re.findall(r"role/cdk-(\w+)-", manifest)) == {"courier"}
    template = (tmp_path / "reply-courier.template.json").read_text()
    (role,) = resources(json.loads(template), "AWS::IAM::Role").values()
    assert json.dumps(role["PermissionsBoundary"]).endswith(':policy/limits"]]}')
    machine_paths = [str(folder) for folder in (PROJECT, tmp_path, Path.home()) if str(folder) != "/"]
    for deployed in (template, (tmp_path / "reply-courier.assets.json").read_text()):
        assert not re.search("|".join(map(re.escape, machine_paths)), deployed)
    document = (PROJECT / "docs" / "deploy.md").read_text()
    assert all(f'"@aws-cdk/core:{name}"' in document for name in keys)


def test_cdk_nag_and_cfn_lint_find_nothing_whatever_the_settings(tmp_path: Path) -> None:
    """`make check` asks them about the default settings, with the real bundle."""
    templates = []
    for n, context in enumerate(TEN):
        app = compose(tmp_path / str(n), **context)
        Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
        (stack,) = app.synth().stacks  # raises what they find
        templates.append(stack.template_full_path)
    linted = subprocess.run(["cfn-lint", *templates], check=False, capture_output=True, text=True)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_a_violation_of_the_aws_solutions_pack_fails_the_synth(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    app = compose(tmp_path)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    (stack,) = (child for child in app.node.children if child.node.id == "reply-courier")
    assert isinstance(stack, ReplyCourierStack)
    Queue(stack, "OpenToPlainText")
    with pytest.raises(RuntimeError) as error:
        app.synth()
    assert "AwsSolutions-SQS4" in str(error.value) + "".join(capfd.readouterr())
