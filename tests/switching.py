"""`courier pause` and `resume` on the deployed stack, without their waits: what they wait for comes about instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from courier.aws import STACK, Account
from courier.pause import Switch
from local.aws import REGION
from local.waiting import until
from tests.fakes.function import FakeClock

if TYPE_CHECKING:
    import pytest

    from local.system import LocalCourier


def switch_of(courier: LocalCourier, environment: pytest.MonkeyPatch) -> Switch:
    """As the command has it; while it waits for the end of invocations Lambda ends them, and the time passes."""
    for name, value in courier.aws.program_environment.items():
        if name.startswith("AWS_"):
            environment.setenv(name, value)
    clock = FakeClock()

    def sleep(seconds: float) -> None:
        if seconds == courier.function.timeout:
            until(lambda: courier.poller.is_idle, "every invocation has ended", seconds)
        else:
            until(lambda: state_of(courier) in {"Enabled", "Disabled"}, "the mapping comes to its end")
        clock.sleep(seconds)

    return Switch(Account(STACK, region=REGION, endpoint_url=courier.aws.endpoint), clock, sleep)


def state_of(courier: LocalCourier) -> str:
    (mapping,) = courier.aws.functions.list_event_source_mappings(FunctionName=courier.function.name)[
        "EventSourceMappings"
    ]
    return mapping["State"]
