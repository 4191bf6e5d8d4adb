"""Alarms and subscriptions of a stack: moto's CloudFormation skips them, so these classes, once defined, make them.

An alarm has the state INSUFFICIENT_DATA until SetAlarmState changes it: none goes off by itself. A subscription by
email waits to be confirmed, as nobody reads its mail.
"""

from typing import Any

from moto.core.common_models import CloudFormationModel

PENDING = "PendingConfirmation"
"""SNS lists it in the place of an ARN."""


class StackAlarm(CloudFormationModel):
    """An alarm, by its name."""

    def __init__(self, name: str) -> None:
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_name_type() -> str:
        """The property that may hold its name."""
        return "AlarmName"

    @staticmethod
    def cloudformation_type() -> str:
        """The type in templates."""
        return "AWS::CloudWatch::Alarm"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: object
    ) -> "StackAlarm":
        """Put it into CloudWatch."""
        given = cloudformation_json["Properties"]
        backend = _cloudwatch(account_id, region_name)
        backend.put_metric_alarm(
            name=resource_name,
            namespace=given.get("Namespace"),
            metric_name=given.get("MetricName"),
            comparison_operator=given["ComparisonOperator"],
            evaluation_periods=given["EvaluationPeriods"],
            period=given.get("Period"),
            threshold=given.get("Threshold"),
            statistic=given.get("Statistic"),
            description=given.get("AlarmDescription"),
            dimensions=[],
            alarm_actions=given.get("AlarmActions", []),
            ok_actions=given.get("OKActions", []),
            treat_missing_data=given.get("TreatMissingData"),
        )
        backend.set_alarm_state(resource_name, "Unchecked: Initial alarm creation", "{}", "INSUFFICIENT_DATA")
        return cls(resource_name)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: "StackAlarm",
        new_resource_name: str,  # noqa: ARG003 - it keeps its name
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> "StackAlarm":
        """Put it anew, under the same name."""
        name = original_resource.physical_resource_id
        return cls.create_from_cloudformation_json(name, cloudformation_json, account_id, region_name)

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete it with its stack."""
        _cloudwatch(account_id, region_name).delete_alarms([self.physical_resource_id])


class StackSubscription(CloudFormationModel):
    """A subscription to a topic, by its ARN."""

    def __init__(self, arn: str) -> None:
        self.physical_resource_id = arn

    @staticmethod
    def cloudformation_name_type() -> str:
        """It has no name."""
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        """The type in templates."""
        return "AWS::SNS::Subscription"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,  # noqa: ARG003 - it has none
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **_: object,
    ) -> "StackSubscription":
        """Subscribe."""
        given = cloudformation_json["Properties"]
        made = _sns(account_id, region_name).subscribe(given["TopicArn"], given["Endpoint"], given["Protocol"])
        arn = made.arn
        if given["Protocol"].startswith("email"):
            made.arn = PENDING
        return cls(arn)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: "StackSubscription",
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> "StackSubscription":
        """Replace it."""
        original_resource.delete(account_id, region_name)
        return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete it with its stack."""
        _sns(account_id, region_name).unsubscribe(self.physical_resource_id)


def _cloudwatch(account_id: str, region_name: str) -> Any:  # noqa: ANN401 - moto's
    from moto.cloudwatch.models import cloudwatch_backends  # noqa: PLC0415 - comes with CloudFormation, which loads later

    return cloudwatch_backends[account_id][region_name]


def _sns(account_id: str, region_name: str) -> Any:  # noqa: ANN401 - moto's
    from moto.sns.models import sns_backends  # noqa: PLC0415 - the same

    return sns_backends[account_id][region_name]
