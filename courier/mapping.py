"""The event source mapping between queue and function: whether it is on, who switched it off, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

PAUSED_BY, PAUSED_AT = "reply-courier:paused-by", "reply-courier:paused-at"
"""Tags of the function: they stay through deployments, and whoever may see the function sees them."""
ENABLED, DISABLED = "Enabled", "Disabled"


@dataclass(frozen=True, slots=True)
class Pause:
    """That nothing is sent now.

    Attributes:
        by: Who has paused it, by the ARN of STS; None if it was not `courier`.
        at: When, in ISO 8601; None if it is not known.
    """

    by: str | None
    at: str | None


@dataclass(frozen=True)
class Mapping:
    """The mapping of one stack.

    Attributes:
        functions: The client.
        uuid: The mapping's.
        function_name: The function that it invokes.
    """

    functions: LambdaClient
    uuid: str
    function_name: str

    @property
    def state(self) -> str:
        """Such as Enabled, Disabling, Disabled (GetEventSourceMapping, `State`)."""
        return self.functions.get_event_source_mapping(UUID=self.uuid)["State"]

    @property
    def paused(self) -> Pause | None:
        """None while replies are sent."""
        if self.state not in {DISABLED, "Disabling"}:
            return None
        tags = self.functions.list_tags(Resource=self.function["FunctionArn"])["Tags"]
        return Pause(tags.get(PAUSED_BY), tags.get(PAUSED_AT))

    @cached_property
    def function(self) -> FunctionConfigurationResponseTypeDef:
        """The function's configuration."""
        return self.functions.get_function_configuration(FunctionName=self.function_name)

    def pause(self, by: str, at: str) -> None:
        """Let no more replies be received. What is in flight ends: up to the function's time-out later."""
        self.functions.tag_resource(Resource=self.function["FunctionArn"], Tags={PAUSED_BY: by, PAUSED_AT: at})
        self.functions.update_event_source_mapping(UUID=self.uuid, Enabled=False)

    def resume(self) -> None:
        """Let replies be received again."""
        self.functions.update_event_source_mapping(UUID=self.uuid, Enabled=True)
        self.functions.untag_resource(Resource=self.function["FunctionArn"], TagKeys=[PAUSED_BY, PAUSED_AT])
