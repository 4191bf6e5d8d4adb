"""This project's own stack."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from aws_cdk import Environment, Stack
from constructs import Construct

from infra.reply_courier import ReplyCourier
from infra.settings import StackSettings

if TYPE_CHECKING:
    from aws_cdk.aws_cloudwatch import CfnDashboard


class ReplyCourierStack(Stack):
    """`ReplyCourier` in the account and Region of its instance, with the outputs for `courier`."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: StackSettings, code: Path) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Sends queued email replies through Amazon Connect",
            env=Environment(account=settings.instance["account"], region=settings.instance["region"]),
            termination_protection=settings.termination_protection,
        )
        # CDK leaves the id Default out of logical ids.
        courier = ReplyCourier(self, "Default", settings=settings, code=code)
        courier.add_outputs()
        # An account has each dashboard's name once, in all Regions.
        dashboard = cast("CfnDashboard", courier.dashboard.node.default_child)
        dashboard.dashboard_name = f"{settings.stack_name}-{settings.instance['region']}"
