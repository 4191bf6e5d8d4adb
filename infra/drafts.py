"""The table that remembers, for each client token, the draft that the function made and whether it was attempted."""

from aws_cdk import RemovalPolicy
from aws_cdk.aws_dynamodb import Attribute, AttributeType, BillingMode, PointInTimeRecoverySpecification, Table
from aws_cdk.aws_kms import IKey
from constructs import Construct

KEY = "TokenHash"
TIME_TO_LIVE = "DeleteAt"


class DraftTable(Construct):
    """An on-demand table, which outlives its stack as the queues do: replies that wait on them need its items.

    A table that is replaced or lost costs a person's decision for each reply that waits (docs/design.md). So it has
    deletion protection and point-in-time recovery, and no property here makes CloudFormation replace it.

    Attributes:
        table: The table. CloudFormation chooses its name. (TableV2 isn't an option: `cdk import` can't adopt it.)
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: IKey | None) -> None:
        super().__init__(scope, construct_id)
        self.table = Table(
            self,
            "Table",
            partition_key=Attribute(name=KEY, type=AttributeType.STRING),
            time_to_live_attribute=TIME_TO_LIVE,
            billing_mode=BillingMode.PAY_PER_REQUEST,
            encryption_key=key,  # else DynamoDB's own key
            point_in_time_recovery_specification=PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True),
            deletion_protection=True,
            # Not RETAIN_ON_UPDATE_OR_DELETE: if the first deployment failed, CloudFormation would try to delete the
            # table, and the deletion protection would make the rollback fail, too.
            removal_policy=RemovalPolicy.RETAIN,
        )
