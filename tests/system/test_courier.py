"""The operators' command as they have it: installed by itself, and on the deployed stack."""

import json
import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from courier.aws import STACK
from courier.reply_files import digest
from local.aws import ROOT
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.system import LocalCourier
from local.waiting import until
from tests.operators import Operator
from tests.samples import reply


@pytest.fixture
def operator(courier: LocalCourier) -> Operator:
    return Operator(courier.aws, STACK, courier.queue_url, courier.dead_letter_queue_url, courier.payload_bucket)


def test_dead_letters_of_the_deployed_function_are_mended_and_sent_once(
    courier: LocalCourier, operator: Operator, tmp_path: Path
) -> None:
    connect = ConnectControl(courier.connect_url)
    bodies = [reply(ContactId=f"late-{n}") for n in range(8)] + [reply(ContactId="misspelt")]
    text = "\n".join(map(json.dumps, bodies))
    assert operator.did("send", "-", "--token-prefix", "morning", stdin=text) == "9 on the queue.\n"
    wait_until_empty(courier)
    status = json.loads(operator.did("status", "--json"))
    assert status["reasons"] == {"NotFound": 9}

    connect.draft(*(f"late-{n}" for n in range(8)), "spelt")
    (misspelt,) = operator.did("dlq", "list", "--json", "--contact", "misspelt").splitlines()
    operator.edits_with(tmp_path, "text = text.replace('misspelt', 'spelt')")
    operator.did("dlq", "edit", json.loads(misspelt)["id"], "--yes")
    assert operator.did("dlq", "replay", "--all", "--yes", "--rate", "20").startswith("8 replayed.\n")
    wait_until_empty(courier)

    sent = {email["client_token"]: email["contact_id"] for email in connect.sent}
    assert sent == {
        f"morning.{digest(json.dumps(body))}": body["ContactId"].replace("misspelt", "spelt") for body in bodies
    }
    assert len(connect.sent) == 9
    assert operator.dead_letters == []


def test_cloudwatch_counts_what_was_sent_and_invoked(courier: LocalCourier) -> None:
    """By metrics that it makes of the function's lines, as `courier status` and the alarms read them."""

    def total(namespace: str, metric: str, dimension: str, value: str) -> float:
        now = datetime.now(UTC)
        points = courier.aws.cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": dimension, "Value": value}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    def sent() -> float:
        return total("ReplyCourier", "RepliesSent", "service", STACK)

    def invoked() -> float:
        return total("AWS/Lambda", "Invocations", "FunctionName", courier.function.name)

    def reports() -> int:
        return sum('"platform.report"' in line.line for line in courier.logs)

    until(lambda: courier.poller.is_idle and invoked() == reports(), "CloudWatch has counted all before this")
    sent_before, connect = sent(), ConnectControl(courier.connect_url)
    for n in range(7):
        connect.draft(f"counted-{n}")
        courier.aws.sqs.send_message(
            QueueUrl=courier.queue_url, MessageBody=json.dumps(reply(ContactId=f"counted-{n}"))
        )
    wait_until_empty(courier)
    until(lambda: sent() == sent_before + 7, "RepliesSent is the number sent")
    until(lambda: invoked() == reports(), "each invocation is counted")


def test_the_command_installs_as_documented_and_without_the_rest_of_the_project(tmp_path: Path) -> None:
    (install,) = re.findall("^```sh\n(.*?)^```", (ROOT / "docs" / "courier.md").read_text(), re.DOTALL | re.MULTILINE)
    home = {**os.environ, "HOME": str(tmp_path), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_COMPILE": "1"}
    subprocess.run(["bash", "-ec", install], check=True, cwd=ROOT, env=home)
    environment = tmp_path / "courier"
    packages = {path.name for path in environment.glob("lib/python*/site-packages/*")}
    assert packages.isdisjoint({"aws_cdk", "moto", "pytest", "aws_lambda_powertools", "infra", "local"})
    checked = subprocess.run(
        [environment / "bin" / "courier", "check", "-"],
        cwd=tmp_path,
        input=json.dumps(reply(ContactId="")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 1
    assert "reply.ContactId is empty" in checked.stderr
