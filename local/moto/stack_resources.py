"""Alarms and subscriptions of a stack. moto's CloudFormation skips both, but uses these classes once they are defined.

No alarm goes off by itself: its state is INSUFFICIENT_DATA until SetAlarmState changes it. A subscription by email
stays unconfirmed, because nobody reads the mail.
"""

from typing import Any

from moto.core.common_models import CloudFormationModel

PENDING = "PendingConfirmation"
"""SNS lists this instead of an ARN."""


class StackAlarm(CloudFormationModel):
    """An alarm. Its physical id is its name."""

    def __init__(self, name: str) -> None:
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_name_type() -> str:
        """Return the property with the name."""
        return "AlarmName"

    @staticmethod
    def cloudformation_type() -> str:
        """Return the type in templates."""
        return "AWS::CloudWatch::Alarm"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: object
    ) -> "StackAlarm":
        """Create the alarm."""
        properties = cloudformation_json["Properties"]
        backend = _cloudwatch(account_id, region_name)
        backend.put_metric_alarm(
            name=resource_name,
            namespace=properties.get("Namespace"),
            metric_name=properties.get("MetricName"),
            comparison_operator=properties["ComparisonOperator"],
            evaluation_periods=properties["EvaluationPeriods"],
            period=properties.get("Period"),
            threshold=properties.get("Threshold"),
            statistic=properties.get("Statistic"),
            description=properties.get("AlarmDescription"),
            dimensions=[],
            alarm_actions=properties.get("AlarmActions", []),
            ok_actions=properties.get("OKActions", []),
            treat_missing_data=properties.get("TreatMissingData"),
        )
        backend.set_alarm_state(resource_name, "Unchecked: Initial alarm creation", "{}", "INSUFFICIENT_DATA")
        return cls(resource_name)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: "StackAlarm",
        new_resource_name: str,  # noqa: ARG003 - the alarm keeps its name
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> "StackAlarm":
        """Replace the alarm with this name."""
        name = original_resource.physical_resource_id
        return cls.create_from_cloudformation_json(name, cloudformation_json, account_id, region_name)

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the resource with its stack."""
        _cloudwatch(account_id, region_name).delete_alarms([self.physical_resource_id])


class StackSubscription(CloudFormationModel):
    """A subscription to a topic. Its physical id is its ARN."""

    def __init__(self, arn: str) -> None:
        self.physical_resource_id = arn

    @staticmethod
    def cloudformation_name_type() -> str:
        """Return an empty string: a subscription has no name."""
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        """Return the type in templates."""
        return "AWS::SNS::Subscription"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,  # noqa: ARG003 - a subscription has no name
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **_: object,
    ) -> "StackSubscription":
        """Create the subscription."""
        properties = cloudformation_json["Properties"]
        topic, endpoint, protocol = (properties[name] for name in ("TopicArn", "Endpoint", "Protocol"))
        subscription = _sns(account_id, region_name).subscribe(topic, endpoint, protocol)
        arn = subscription.arn
        if protocol.startswith("email"):
            subscription.arn = PENDING
        return cls(arn)

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the resource with its stack."""
        _sns(account_id, region_name).unsubscribe(self.physical_resource_id)


def _cloudwatch(account_id: str, region_name: str) -> Any:  # noqa: ANN401 - moto's class
    from moto.cloudwatch.models import cloudwatch_backends  # noqa: PLC0415 - CloudFormation, which loads later, has it

    return cloudwatch_backends[account_id][region_name]


def _sns(account_id: str, region_name: str) -> Any:  # noqa: ANN401 - moto's class
    from moto.sns.models import sns_backends  # noqa: PLC0415 - CloudFormation, which loads later, has it

    return sns_backends[account_id][region_name]
