"""The app as CDK runs it: `python app.py`, with the context in its environment."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.conftest import ARN, KEY, compose

PROJECT = Path(__file__).parents[2]
TOGETHER: list[dict[str, object]] = [
    {
        "instanceArn": ARN.replace("arn:aws:", "arn:aws-us-gov:").replace("eu-central-1", "us-gov-west-1"),
        "sendRate": "0.5",
        "retryHours": "48",
        "architecture": "x86_64",
        "logRetentionDays": 1,
    },
    {
        "instanceArn": ARN.replace("eu-central-1", "us-east-1"),
        "sendRate": 500,
        "retryHours": 0.1,
        "stackName": "x" * 60,
        "alarmEmail": "oncall@example.com",
        "terminationProtection": True,
        "producers": "222233334444,arn:aws:iam::333344445555:role/crm",
    },
    {"sendRate": 10, "kmsKeyArn": KEY},
    {
        "kmsKeyArn": KEY,
        "alarmEmail": "oncall@example.com",
        "producers": ["222233334444"],
        "allowedRecipients": ["*@example.com", "ada@example.org"],
        "stackName": "test",
    },
]
"""Each setting with and without a value, in as few templates: cfn-lint takes seconds for each."""


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


def test_cdk_nag_and_cfn_lint_find_nothing_whatever_the_settings(tmp_path: Path) -> None:
    """`make check` asks them about the default settings, with the real bundle."""
    from aws_cdk import Validations
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks

    templates = []
    for n, context in enumerate(TOGETHER):
        app = compose(tmp_path / str(n), **context)
        Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
        (stack,) = app.synth().stacks  # raises what they find
        templates.append(stack.template_full_path)
    linted = subprocess.run(["cfn-lint", *templates], check=False, capture_output=True, text=True)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_a_violation_of_the_aws_solutions_pack_fails_the_synth(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from aws_cdk import Validations
    from aws_cdk.aws_sqs import Queue
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks

    from infra.stack import ReplyCourierStack

    app = compose(tmp_path)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    (stack,) = (child for child in app.node.children if child.node.id == "reply-courier")
    assert isinstance(stack, ReplyCourierStack)
    Queue(stack, "OpenToPlainText")
    with pytest.raises(RuntimeError) as error:
        app.synth()
    assert "AwsSolutions-SQS4" in str(error.value) + "".join(capfd.readouterr())
