"""docs/deploy.md, step by step: its commands, with the output that it shows. (test_documents.py has `make deploy`.)"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from local.aws import ACCOUNT, REGION, ROOT, start_aws
from local.cdk import INSTANCE_ARN, with_tools, without_credentials
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.processes import ProcessGroup
from local.system import LocalCourier
from local.waiting import until
from tests.documents import Shown, blocks, shown

DOCUMENT = "docs/deploy.md"
COMMANDS = shown(DOCUMENT)
MAKE = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
CDK_KEYS = {
    "@aws-cdk/core:permissionsBoundary": {"name": "limits"},
    "@aws-cdk/core:bootstrapQualifier": "courier",
}
LOG_BYTES = 1_700
"""Of one reply, as the table of costs has it."""
STARTED = 230
"""Lambda's own line at an invocation's start, which local AWS does not write, is no longer."""
EVENT_BYTES = 26
"""What CloudWatch counts for a line beside its text."""


def commands_with(*texts: str) -> list[Shown]:
    """The commands of the document that hold one of these texts."""
    found = [each for each in COMMANDS if any(text in each.command for text in texts)]
    assert len(found) >= len(texts)
    return found


def run(commands: Iterable[Shown], environment: dict[str, str], folder: Path) -> list[str]:
    """Run commands in one shell, see that each prints what it should, and return what they printed."""
    commands = list(commands)
    script = "\n".join(f"{each.command}\necho ==== next" for each in commands)
    ended = subprocess.run(
        ["bash", "-ec", script],
        check=False,
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    printed = ended.stdout.split("==== next\n")
    assert ended.returncode == 0, printed[-1]
    for each, output in zip(commands, printed, strict=False):
        assert each.missing(output) == [], f"{each.command}\n{output}"
    return [output.strip() for output in printed[: len(commands)]]


STRICT_BOOTSTRAP = commands_with("ACCOUNT=", "create-policy", "POLICY=", "make bootstrap BOOTSTRAP")
ALARM = commands_with("output()", "list-subscriptions", "ALARM=", "set-alarm-state")
STATUS, *SEEN = commands_with("courier status", "courier trace")
(DRAFT,) = commands_with("create-contact")
(SEND,) = commands_with("courier send")


def test_every_command_of_the_document_is_run() -> None:
    ran = {each.command for each in [*STRICT_BOOTSTRAP, *ALARM, *SEEN, STATUS, DRAFT, SEND]}
    assert ran | {"make bootstrap", "make deploy"} == {each.command for each in COMMANDS}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cloud assembly of a stage in cdk.context.json, with CDK's own keys, synthesised without credentials."""
    folder = tmp_path_factory.mktemp("stage")
    settings = {"instanceArn": INSTANCE_ARN, "stackName": "reply-courier-test", **CDK_KEYS}
    (folder / "cdk.context.json").write_text(json.dumps({"stages": {"test": settings}}))
    shutil.copy(ROOT / "cdk.json", folder)
    synth = ["cdk", "synth", "--quiet", "--app", f"python {ROOT / 'app.py'}", "-c", "stage=test"]
    subprocess.run(synth, check=True, env=MAKE | with_tools(without_credentials()), cwd=folder)
    return folder / "cdk.out"


def test_a_stage_synthesises_offline_with_its_boundary_and_qualifier(stage: Path) -> None:
    """docs/deploy.md, "In an organisation". The template names no folder of this machine."""
    manifest = (stage / "manifest.json").read_text()
    stack = json.loads(manifest)["artifacts"]["reply-courier-test"]
    assert stack["environment"] == f"aws://{ACCOUNT}/{REGION}"
    assert set(re.findall(r"role/cdk-(\w+)-", manifest)) == {"courier"}
    template = (stage / "reply-courier-test.template.json").read_text()
    (role,) = (each for each in json.loads(template)["Resources"].values() if each["Type"] == "AWS::IAM::Role")
    assert json.dumps(role["Properties"]["PermissionsBoundary"]).endswith(':policy/limits"]]}')
    machine_paths = [str(folder) for folder in (ROOT, stage.parent, Path.home()) if str(folder) != "/"]
    for deployed in (template, (stage / "reply-courier-test.assets.json").read_text()):
        assert not re.search("|".join(map(re.escape, machine_paths)), deployed)
    assert all(f'"{name}"' in (ROOT / DOCUMENT).read_text() for name in CDK_KEYS)


def test_an_account_is_bootstrapped_with_no_more_than_the_stack_needs(
    processes: ProcessGroup, stage: Path, tmp_path: Path
) -> None:
    aws = start_aws(processes, tmp_path)
    environment = MAKE | with_tools(aws.program_environment)
    run(STRICT_BOOTSTRAP, environment, ROOT)
    iam = aws.session.client("iam", endpoint_url=aws.endpoint)
    (policy,) = (each for each in iam.list_policies(Scope="Local")["Policies"] if "deployer" in each["PolicyName"])
    (stack,) = aws.stacks.describe_stacks(StackName="CDKToolkit-courier")["Stacks"]
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    assert re.findall(r"arn:[\w:/-]+", parameters["CloudFormationExecutionPolicies"]) == [policy["Arn"]]
    text = " ".join((ROOT / "docs" / "deploy.md").read_text().split())
    (renewal,) = re.findall(r"`(aws iam create-policy-version [^`]+)`", text)
    subprocess.run(renewal.replace("POLICY ", f"{policy['Arn']} ").split(), check=True, env=environment, cwd=ROOT)
    assert iam.get_policy(PolicyArn=policy["Arn"])["Policy"]["DefaultVersionId"] == "v2"
    deploy = ["cdk", "deploy", "--app", str(stage), "--require-approval", "never", "--tags", "team=crm"]
    subprocess.run(deploy, check=True, env=environment, cwd=tmp_path)
    (deployed,) = aws.stacks.describe_stacks(StackName="reply-courier-test")["Stacks"]
    assert deployed["Tags"] == [{"Key": "team", "Value": "crm"}]


def test_the_alarms_mail_is_confirmed_and_tested(courier: LocalCourier, tmp_path: Path) -> None:
    """The shared stack has no alarmEmail: its mail is subscribed here."""
    outputs = courier.aws.stacks.describe_stacks(StackName="reply-courier")["Stacks"][0]["Outputs"]
    (topic,) = (each["OutputValue"] for each in outputs if each["OutputKey"] == "AlarmTopicArn")
    sns = courier.aws.session.client("sns", endpoint_url=courier.aws.endpoint)
    subscription = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="oncall@example.com")["SubscriptionArn"]
    run(ALARM, with_tools(courier.aws.program_environment), tmp_path)
    prefix = "reply-courier-AlarmsDeadLettersWaiting"
    (alarm,) = courier.aws.cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"
    courier.aws.cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="as before")
    sns.unsubscribe(SubscriptionArn=subscription)


def test_the_first_reply_is_sent_and_seen_and_sent_again_it_is_one_email(courier: LocalCourier, tmp_path: Path) -> None:
    connect = ConnectControl(courier.connect_url)
    program = tmp_path / "courier"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m courier "$@"\n')
    program.chmod(0o755)
    environment = with_tools(courier.aws.program_environment) | {
        "AWS_ENDPOINT_URL_CONNECT": courier.connect_url,
        "INSTANCE_ID": INSTANCE_ARN.rpartition("/")[2],
        "USER_ID": "agent-1",
    }
    environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
    _stages, first = blocks(DOCUMENT, "json")

    (contact,) = run([DRAFT], environment, tmp_path)
    (tmp_path / "first-reply.json").write_text(first.replace("CONTACT_ID", contact))
    seen = len(courier.logs)
    run([SEND], environment, tmp_path)
    wait_until_empty(courier)
    until(lambda: any("platform.report" in line.line for line in courier.logs[seen:]), "the invocation has ended")
    assert courier.log_group is not None
    courier.log_group.flush()
    lines = [line.line for line in courier.logs[seen:]]
    assert [json.loads(line)["message"] for line in lines if "client_token" in line] == ["reply_sent"]
    assert sum(len(line.encode()) + EVENT_BYTES for line in lines) + STARTED + EVENT_BYTES < LOG_BYTES
    run(SEEN, environment, tmp_path)

    run([SEND], environment, tmp_path)
    wait_until_empty(courier)
    assert [email["client_token"] for email in connect.sent] == ["first-reply"]


def test_before_the_first_reply_the_queues_are_empty(courier: LocalCourier, tmp_path: Path) -> None:
    """Whatever CloudWatch counted of other tests: that line alone may differ."""
    program = f'courier() {{ PYTHONPATH={ROOT} {sys.executable} -m courier "$@"; }}\n'
    empty = Shown(program + STATUS.command, STATUS.output[:-1])
    run([empty], with_tools(courier.aws.program_environment), tmp_path)
