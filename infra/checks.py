"""The rules that every synth is held to: cdk-nag's AWS Solutions pack, and one that is in no pack."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import (
    App,
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolatingResource,
    PolicyViolation,
    Validations,
)
from cdk_nag import AwsSolutionsChecks


def add_checks(app: App) -> None:
    """Make a synth of the app fail on every violation that is not acknowledged where it arises."""
    Validations.of(app).add_plugins(
        AwsSolutionsChecks(app),
        VisibilityTimeoutCheck(),  # type: ignore[arg-type]  # the protocol's other two members are optional
    )


def too_short_visibility(template: Mapping[str, Any]) -> list[str]:
    """Return the ids of mapped queues whose visibility timeout is less than 6 times their function's timeout.

    With less, Lambda's retries of a throttled invocation outlast it, and a message is delivered twice at once.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    resources = template["Resources"]
    mappings = [part["Properties"] for part in resources.values() if part["Type"] == "AWS::Lambda::EventSourceMapping"]
    short = []
    for mapping in mappings:
        queue_id = mapping["EventSourceArn"]["Fn::GetAtt"][0]
        visibility = resources[queue_id]["Properties"].get("VisibilityTimeout", 30)
        timeout = resources[mapping["FunctionName"]["Ref"]]["Properties"].get("Timeout", 3)
        if visibility < 6 * timeout:
            short.append(queue_id)
    return short


@jsii.implements(IPolicyValidationPlugin)
class VisibilityTimeoutCheck:
    """Plugs the rule in under its name in cdk-nag, which offers its single rules in TypeScript only."""

    @property
    def name(self) -> str:
        """Return the name that reports show."""
        return "reply-courier"

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        """Judge the templates of a synth."""
        violating = [
            PolicyViolatingResource(
                template_path=path, resource_logical_id=queue_id, locations=["Properties/VisibilityTimeout"]
            )
            for path in context.template_paths
            for queue_id in too_short_visibility(json.loads(Path(path).read_text(encoding="utf-8")))
        ]
        if not violating:
            return PolicyValidationPluginReport(success=True, violations=[])
        violation = PolicyViolation(
            rule_name="LambdaEventSourceSQSVisibilityTimeout",
            description="The queue's visibility timeout is less than 6 times the timeout of the function it feeds.",
            severity="error",
            violating_resources=violating,
        )
        return PolicyValidationPluginReport(success=False, violations=[violation])
