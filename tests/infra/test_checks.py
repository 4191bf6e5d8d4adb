from pathlib import Path

import pytest
from aws_cdk import Stack
from aws_cdk.aws_lambda import CfnFunction
from aws_cdk.aws_sqs import Queue

from infra.checks import add_checks, too_short_visibility
from tests.infra.conftest import Template, compose, resources


def test_the_stack_breaks_no_rule(tmp_path: Path) -> None:
    app = compose(tmp_path)
    add_checks(app)
    app.synth()


def test_a_violation_of_the_aws_solutions_pack_fails_the_synth(tmp_path: Path) -> None:
    app = compose(tmp_path)
    stack = app.node.find_child("reply-courier")
    assert isinstance(stack, Stack)
    Queue(stack, "OpenToPlainText")
    add_checks(app)

    with pytest.raises(RuntimeError, match="AwsSolutions-SQS4"):
        app.synth()


def test_a_visibility_timeout_too_short_for_the_function_fails_the_synth(tmp_path: Path) -> None:
    app = compose(tmp_path)
    (function,) = (part for part in app.node.find_all() if isinstance(part, CfnFunction))
    function.timeout = int(function.timeout or 0) + 1
    add_checks(app)

    with pytest.raises(RuntimeError, match="LambdaEventSourceSQSVisibilityTimeout"):
        app.synth()


@pytest.mark.parametrize(("visibility", "timeout", "short"), [(60, 10, False), (59, 10, True), (None, 6, True)])
def test_six_function_timeouts_are_enough(visibility: int | None, timeout: int, short: bool) -> None:
    template = {
        "Resources": {
            "Queue": {
                "Type": "AWS::SQS::Queue",
                "Properties": {} if visibility is None else {"VisibilityTimeout": visibility},
            },
            "Function": {"Type": "AWS::Lambda::Function", "Properties": {"Timeout": timeout}},
            "Mapping": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {"EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]}, "FunctionName": {"Ref": "Function"}},
            },
        }
    }
    assert too_short_visibility(template) == (["Queue"] if short else [])


def test_the_rule_sees_the_mapping_of_the_stack(template: Template) -> None:
    assert len(resources(template, "AWS::Lambda::EventSourceMapping")) == 1
    assert too_short_visibility(template) == []
