"""The operators' journal: what they changed with `courier`, kept for ten years and beyond the stack."""

from aws_cdk import RemovalPolicy
from aws_cdk.aws_kms import Key
from aws_cdk.aws_logs import LogGroup, RetentionDays
from constructs import Construct

from infra.settings import Settings


class Journal(Construct):
    """Its log group. It holds ids and who did what, and nothing of a reply."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self.log_group = LogGroup(
            self,
            "Log",
            encryption_key=Key.from_key_arn(self, "Key", settings.kms_key_arn) if settings.kms_key_arn else None,
            retention=RetentionDays.TEN_YEARS,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
