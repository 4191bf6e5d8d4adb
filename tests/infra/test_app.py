"""The app as CDK runs it: `python app.py`, with the context in its environment."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from tests.infra.conftest import ARN, KEY, compose, resources

PROJECT = Path(__file__).parents[2]


OPEN_QUEUE = """
import runpy
from aws_cdk.aws_sqs import Queue
from infra import stack
class WithOpenQueue(stack.ReplyCourierStack):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        Queue(self, "OpenToPlainText")
stack.ReplyCourierStack = WithOpenQueue
runpy.run_path("app.py")
"""


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


def run_app(folder: Path, context: dict[str, object], *program: str) -> subprocess.CompletedProcess[str]:
    """Run app.py as `cdk synth` does, in an environment that holds no credentials and no region."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    environment |= {"CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": json.dumps(context)}
    return subprocess.run(
        [sys.executable, *(program or ["app.py"])],
        cwd=PROJECT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )


def test_wrong_settings_end_in_one_message_and_no_traceback(tmp_path: Path) -> None:
    ended = run_app(tmp_path, {"sendRate": "fast"})

    assert ended.returncode != 0
    assert "instanceArn is missing" in ended.stderr
    assert "sendRate is 'fast'" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.iterdir())


def test_it_synthesises_offline_for_the_instances_account_and_region_and_names_no_folder_of_this_machine(
    tmp_path: Path,
) -> None:
    ended = run_app(tmp_path, {"instanceArn": ARN})
    assert ended.returncode == 0, ended.stderr

    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["artifacts"]["reply-courier"]["environment"] == "aws://111122223333/eu-central-1"
    for deployed in ("reply-courier.template.json", "reply-courier.assets.json"):
        text = (tmp_path / deployed).read_text()
        machine_paths = [str(folder) for folder in (PROJECT, tmp_path, Path.home()) if str(folder) != "/"]
        assert not re.search("|".join(map(re.escape, machine_paths)), text)


def test_an_organisations_boundary_and_its_own_bootstrap_roles_are_kept_to(tmp_path: Path) -> None:
    """docs/deploy.md, "In an organisation"."""
    keys = {"permissionsBoundary": {"name": "limits"}, "bootstrapQualifier": "courier"}
    settings = tmp_path / "prod.json"
    of_cdk = {f"@aws-cdk/core:{name}": value for name, value in keys.items()}
    settings.write_text(json.dumps({"instanceArn": ARN, **of_cdk}))
    ended = run_app(tmp_path, {"settings": str(settings)})
    assert ended.returncode == 0, ended.stderr
    template = json.loads((tmp_path / "reply-courier.template.json").read_text())
    (role,) = resources(template, "AWS::IAM::Role").values()
    assert json.dumps(role["PermissionsBoundary"]).endswith(':policy/limits"]]}')
    roles = re.findall(r"role/cdk-(\w+)-", (tmp_path / "manifest.json").read_text())
    assert set(roles) == {"courier"}
    text = (PROJECT / "docs" / "deploy.md").read_text()
    assert all(f'"@aws-cdk/core:{name}"' in text for name in keys)


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


def test_a_violation_of_the_aws_solutions_pack_fails_the_synth(tmp_path: Path) -> None:
    ended = run_app(tmp_path, {"instanceArn": ARN}, "-c", OPEN_QUEUE)
    assert ended.returncode != 0
    assert "AwsSolutions-SQS4" in ended.stdout + ended.stderr
