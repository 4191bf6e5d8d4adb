"""The construct in this project's stack and in a stack of another CDK app."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.settings import Settings
from tests.infra.conftest import ARN, Template, bundle_stand_in, resources

if TYPE_CHECKING:
    from aws_cdk import Stack

    from infra.reply_courier import ReplyCourier

LOGICAL_IDS = {
    "AWS::DynamoDB::Table": {"DraftsTableC34CD0ED"},
    "AWS::Lambda::EventSourceMapping": {"DeliveryMapping4CDA0459"},
    "AWS::Logs::LogGroup": {"DeliveryLog0EE93232", "JournalLogBB9AA335"},
    "AWS::S3::Bucket": {"PayloadsBucket1715615A"},
    "AWS::SQS::Queue": {"QueuesDeadLettersF0D5D2AD", "QueuesQueueD811C857"},
}
"""As deployed: under another id, CloudFormation would make an empty queue or table and leave the old one."""
POLICIES = {
    "PoliciesOperatorFB08A6C6": "Uses the command courier on reply-courier",
    "PoliciesProducer9ACDB643": "Puts replies on the queue of reply-courier",
}
"""CloudFormation replaces a policy whose description changes, and fails if the policy is attached."""


def foreign_stack(folder: Path, **environment: str) -> Stack:
    """An empty stack of another CDK app."""
    from aws_cdk import App, Environment, Stack

    return Stack(App(outdir=str(folder / "cdk.out")), "Crm", env=Environment(**environment) if environment else None)


def add_courier(stack: Stack, folder: Path, construct_id: str, name: str | None = None) -> ReplyCourier:
    from infra.reply_courier import ReplyCourier

    settings = Settings(instance_arn=ARN, event_bus_name="default", allowed_recipients=("*@example.com",))
    return ReplyCourier(stack, construct_id, settings=settings, code=bundle_stand_in(folder), name=name)


def synthesised(stack: Stack) -> Template:
    from aws_cdk import App

    app = stack.node.root
    assert isinstance(app, App)
    (artifact,) = app.synth().stacks
    template: Template = json.loads(Path(artifact.template_full_path).read_text())
    return template


def test_whatever_holds_replies_or_logs_keeps_its_logical_id(template: Template) -> None:
    assert {kind: set(resources(template, kind)) for kind in LOGICAL_IDS} == LOGICAL_IDS


def test_policies_that_may_be_attached_are_not_replaced(template: Template) -> None:
    policies = resources(template, "AWS::IAM::ManagedPolicy")
    assert {name: policy["Description"] for name, policy in policies.items()} == POLICIES


def test_two_constructs_fit_into_one_stack_of_another_app(tmp_path: Path) -> None:
    stack = foreign_stack(tmp_path)
    for construct_id, name in (("Crm", "crm-replies"), ("Shop", "shop-replies")):
        add_courier(stack, tmp_path, construct_id, name)
    template = synthesised(stack)

    kinds = Counter(part["Type"] for part in template["Resources"].values())
    assert {count % 2 for count in kinds.values()} == {0}
    names = [
        value
        for part in template["Resources"].values()
        for key, value in part["Properties"].items()
        if key in {"QueueName", "DashboardName", "Name", "FunctionName", "LogGroupName", "AlarmName", "TopicName"}
        and isinstance(value, str)
    ]
    assert sorted(names) == sorted(
        f"{name}{rest}"
        for name in ("crm-replies", "shop-replies")
        for rest in ("", "/One reply's story", "/Refusals by reason", "/Slowest replies")
    )
    services = [
        function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        for function in resources(template, "AWS::Lambda::Function").values()
    ]
    assert sorted(services) == ["crm-replies", "shop-replies"]
    assert "Outputs" not in template


def test_courier_finds_a_construct_in_another_apps_stack_by_its_outputs(tmp_path: Path, template: Template) -> None:
    stack = foreign_stack(tmp_path, account="111122223333", region="eu-central-1")
    courier = add_courier(stack, tmp_path, "Replies")
    courier.add_outputs()
    outputs = synthesised(stack)["Outputs"]

    assert outputs.keys() == template["Outputs"].keys()
    assert stack.resolve(courier.queue.queue_url) == outputs["QueueUrl"]["Value"]


def test_a_stack_in_another_region_than_the_instance_is_refused(tmp_path: Path) -> None:
    stack = foreign_stack(tmp_path, account="111122223333", region="us-east-1")
    with pytest.raises(ValueError, match="region is us-east-1, the instance's is eu-central-1"):
        add_courier(stack, tmp_path, "Replies")
