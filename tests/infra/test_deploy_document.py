"""What docs/deploy.md says of settings, permissions and costs is what the code says."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import Any

import pytest
from pydantic_core import PydanticUndefined

from infra.settings import StackSettings, read_settings
from tests.documents import ROOT, blocks
from tests.infra.conftest import ARN, KEY, Synthesise, resources

TEXT = (ROOT / "docs" / "deploy.md").read_text()
POLICY = json.loads((ROOT / "infra" / "deployer-policy.json").read_text())
ALL: dict[str, object] = {"alarmEmail": "oncall@example.com", "eventBusName": "default", "producers": "222233334444"}
NOT_NEEDED = {
    *("iam:AttachGroupPolicy", "iam:AttachUserPolicy", "iam:DetachGroupPolicy", "iam:DetachUserPolicy"),
    *("dynamodb:AssociateTableReplica", "dynamodb:CreateTableReplica"),
    *("dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
    *("dynamodb:Scan", "dynamodb:UpdateItem", "dynamodb:DescribeImport", "dynamodb:ImportTable"),
    *("dynamodb:DisableKinesisStreamingDestination", "dynamodb:EnableKinesisStreamingDestination"),
    *("dynamodb:UpdateKinesisStreamingDestination", "dynamodb:DeleteResourcePolicy"),
    "dynamodb:DeleteTable",  # the stack retains its table
}
"""What CloudFormation calls for properties that the stack does not set, or not at all."""
TABLE_KEY = {"CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey*", "ReEncrypt*"}
"""What DynamoDB needs on a table's key ("DynamoDB encryption at rest: usage notes")."""


def rows(heading: str) -> list[list[str]]:
    """The cells of each row of the table under a heading, or after a line that ends in a colon."""
    table = TEXT.partition(f"{heading}\n")[2].partition("\n|")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


DEFAULTS = {field.alias: field.get_default() for field in StackSettings.model_fields.values() if field.alias}
"""Of each setting, by its name in CDK context; PydanticUndefined where there is none."""


def as_shown(default: object) -> str:
    if default is PydanticUndefined:
        return "required"
    if default in (None, ()):
        return "none"
    return f"`{json.dumps(default)}`".replace('"', "")


def test_the_table_of_settings_has_each_one_and_its_default() -> None:
    of_code = {name: as_shown(default) for name, default in DEFAULTS.items()}
    of_code["allowedRecipients"] = "all"
    assert {row[0].strip("`"): row[1] for row in rows("## Settings")} == of_code


def test_the_stages_shown_are_two_stacks_with_valid_settings() -> None:
    shown = json.loads(blocks("docs/deploy.md", "json")[0].replace("arn:…", ARN))
    names = [read_settings({**shown, "stage": stage}).stack_name for stage in shown["stages"]]
    assert names == ["reply-courier-test", "reply-courier"]


def test_cdk_json_has_each_setting_with_its_default() -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    for name, default in DEFAULTS.items():
        assert context[name] == ([] if default == () else None if default is PydanticUndefined else default)


def test_the_table_of_outputs_has_each_one(synthesise: Synthesise) -> None:
    named = {name for row in rows("### 3. Deploy") for name in re.findall(r"`(\w+)`", row[0])}
    assert named == synthesise()["Outputs"].keys()


def called(kinds: set[str]) -> Iterator[tuple[str, str]]:
    """What CloudFormation calls for each kind of resource, by its own registry, as cfn-lint ships it."""
    for file in files("cfnlint").joinpath("data/schemas/resources").iterdir():
        text = file.read_text() if file.name.endswith(".json") else ""
        if kinds.isdisjoint(re.findall(r'"typeName":\s*"([^"]+)"', text)):
            continue  # parsing all 1,900 files takes seconds
        schema: dict[str, Any] = json.loads(text)
        if schema["typeName"] in kinds:
            for handler in ("create", "read", "update", "delete"):
                for action in schema["handlers"].get(handler, {}).get("permissions", ()):
                    yield schema["typeName"], action


def test_the_deployers_policy_allows_what_cloudformation_calls(synthesise: Synthesise) -> None:
    kinds = {part["Type"] for part in synthesise(**ALL)["Resources"].values()}
    found = set(called(kinds))
    assert {kind for kind, _ in found} == kinds
    allowed = [
        action
        for statement in POLICY["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    ]
    # Of other services than its own a resource needs something only where its properties name them.
    own = {action for kind, action in found if kind.split("::")[1].lower() == action.partition(":")[0]}
    refused = {action for action in own if not any(fnmatchcase(action, pattern) for pattern in allowed)}
    assert refused == NOT_NEEDED
    assert {"iam:PassRole", "s3:GetObject"} <= set(allowed)  # the function's role, and its zip


def test_the_deployer_uses_keys_for_the_table_through_dynamodb_alone() -> None:
    (statement,) = (each for each in POLICY["Statement"] if each["Sid"] == "DraftTableKey")
    assert set(statement["Action"]) == {f"kms:{action}" for action in TABLE_KEY}
    assert statement["Condition"] == {"StringLike": {"kms:ViaService": "dynamodb.*.amazonaws.com"}}


def test_the_page_says_all_that_the_function_may_do(synthesise: Synthesise) -> None:
    (role,) = resources(synthesise(**ALL, kmsKeyArn=KEY), "AWS::IAM::Role").values()
    allowed = set()
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            allowed |= {actions} if isinstance(actions, str) else set(actions)
    said = {action for row in rows("The function's role:") for action in re.findall(r"`(\w+:\w+)`", row[0])}
    assert said == allowed


def test_every_name_that_the_stack_chooses_itself_begins_with_its_own(synthesise: Synthesise) -> None:
    """As CloudFormation's own do: the policy goes by them."""
    template = synthesise(**ALL)
    (dashboard,) = resources(template, "AWS::CloudWatch::Dashboard").values()
    names = [queue["QueueName"] for queue in resources(template, "AWS::SQS::Queue").values() if "QueueName" in queue]
    assert [dashboard["DashboardName"], *names] == ["reply-courier-eu-central-1", "reply-courier"]
    for kind, name in [("Lambda::Function", "FunctionName"), ("Logs::LogGroup", "LogGroupName")]:
        assert all(name not in part for part in resources(template, f"AWS::{kind}").values())


def number(cell: str) -> float:
    return float(cell.strip("*").replace(",", ""))


@pytest.mark.parametrize("table", ["Idle, a month:", "A million replies, small ones, at 2 a second:"])
def test_the_costs_are_counted_right(table: str) -> None:
    total = 0.0
    for what, many, price, dollars in rows(table):
        if "**all" in what:
            assert round(total, 2) == number(dollars)
            continue
        assert round(number(many) * number(price) + 1e-9, 2) == number(dollars), what
        total += number(dollars)


def test_the_costs_count_what_the_stack_has(synthesise: Synthesise) -> None:
    template = synthesise()
    alarms = resources(template, "AWS::CloudWatch::Alarm").values()
    metrics = sum(sum("MetricStat" in each for each in alarm.get("Metrics", ())) or 1 for alarm in alarms)
    idle = {what.split()[0]: number(many) for what, many, _, _ in rows("Idle, a month:")[:-1]}
    assert idle["alarms,"] == metrics
    assert idle["dashboard"] == len(resources(template, "AWS::CloudWatch::Dashboard"))
    assert idle["KMS"] == len(resources(template, "AWS::KMS::Key"))
    assert idle["SQS"] == 5 * 30 * 86_400 / 20

    busy = rows("A million replies, small ones, at 2 a second:")
    counts = {what.partition(":")[0]: number(many) for what, many, _, _ in busy if many}
    seconds = 1_000_000
    traced_at_least = 1_000_000 / 2
    from infra.function import MEMORY_MB

    assert counts["Lambda, GB-seconds"] == seconds * MEMORY_MB / 1024
    assert counts["Lambda, invocations"] == 1_000_000
    assert counts["SQS requests"] == 3_000_000
    assert counts["X-Ray, traces"] == traced_at_least + 0.05 * (1_000_000 - traced_at_least)
    assert counts["log, GB-months kept"] == pytest.approx(3 * counts["log, GB written"])
    surge = (ROOT / "bench" / "results" / "surge.md").read_text().splitlines()
    (row,) = [line.split(" | ") for line in surge if line.startswith("| 2/s, 150 ms (300 s)")]
    billed = row[4].partition(" / ")[0]
    assert float(billed) == pytest.approx(1, abs=0.05)


def test_a_duplicate_costs_as_much_as_is_said() -> None:
    busy = {
        what.strip("*"): number(dollars)
        for what, _, _, dollars in rows("A million replies, small ones, at 2 a second:")
    }
    said = re.search(r"as much as ([\d,]+) replies of this stack", " ".join(TEXT.split()))
    assert said is not None
    assert number(said[1]) < busy["Amazon Connect, emails sent"] / busy["all of this stack"] < 1.1 * number(said[1])


def test_the_deployment_cannot_rewrite_the_policy_that_limits_it() -> None:
    (name,) = set(re.findall(r"--policy-name (\S+)", TEXT))
    given = [statement["Resource"] for statement in POLICY["Statement"]]
    named = [pattern for each in given for pattern in ([each] if isinstance(each, str) else each)]
    arn = f"arn:aws:iam::111122223333:policy/{name}"
    assert any(fnmatchcase(arn.replace(name, "reply-courier-x"), pattern) for pattern in named)
    assert [pattern for pattern in named if pattern != "*" and fnmatchcase(arn, pattern)] == []
