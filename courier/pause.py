"""Pause and resume: they switch the function's event source mapping off and on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from contract.client_token import iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from courier.aws import Account

PAUSED_BY, PAUSED_AT = "ReplyCourier.PausedBy", "ReplyCourier.PausedAt"
"""Tags of the queue of replies. They outlive the function, its mapping and a deployment, and the console shows them."""
ENABLED, DISABLED = "Enabled", "Disabled"
POLL_SECONDS = 2
MAX_WAIT_SECONDS = 600
"""How long a mapping may take to change its state. AWS documents no time; it takes seconds, sometimes minutes."""


class MappingTimeoutError(Exception):
    """The mapping did not reach the state in time; the text says what to do."""


@dataclass(frozen=True, slots=True)
class SendingState:
    """Whether replies are being sent. The mapping decides; the tags only say who paused it.

    Attributes:
        mapping: The mapping's state, as Lambda names it; None if it is not known.
        result: The mapping's LastProcessingResult; None if Lambda gives none.
        paused_by: Who paused it with courier.
        paused_at: When, in ISO 8601.
    """

    mapping: str | None = None
    paused_by: str | None = None
    paused_at: str | None = None
    result: str | None = None

    @property
    def is_off(self) -> bool:
        """Whether Lambda receives no messages, or is about to stop."""
        return self.mapping in {"Disabling", DISABLED}

    def to_json(self) -> dict[str, Any]:
        """As `pause --json`, `resume --json` and `status --json` write it."""
        paused = {"by": self.paused_by, "at": self.paused_at} if self.is_off else None
        return {"mapping": self.mapping, "paused": paused}


def sending_state(account: Account) -> SendingState:
    """Ask Lambda and SQS whether replies are being sent.

    Raises:
        courier.aws.StackOutputError: The stack does not name its mapping.
        botocore.exceptions.ClientError, BotoCoreError: Lambda or SQS did not answer.
    """
    mapping = account.functions.get_event_source_mapping(UUID=account.output("MappingId"))
    tags = account.sqs.list_queue_tags(QueueUrl=account.queues.replies).get("Tags", {})
    return SendingState(mapping["State"], tags.get(PAUSED_BY), tags.get(PAUSED_AT), mapping.get("LastProcessingResult"))


@dataclass(frozen=True)
class Switch:
    """Switches the mapping off and on. Each method raises what `sending_state` raises, and MappingTimeoutError.

    Attributes:
        account: Where.
        clock: Seconds, never going back.
        sleep: Waits a number of seconds.
    """

    account: Account
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    def pause(self, now: float) -> SendingState:
        """Disable the mapping, and tag the queue with who did it, unless someone paused it before.

        When it returns, Lambda receives no more messages. Invocations may still be in flight.

        Args:
            now: Seconds since the epoch.
        """
        before = sending_state(self.account)
        self._set(enabled=False)
        if not (before.is_off and before.paused_by):
            who = {PAUSED_BY: self.account.caller, PAUSED_AT: iso(now)}
            self.account.sqs.tag_queue(QueueUrl=self.account.queues.replies, Tags=who)
        return self._wait_until(DISABLED)

    def resume(self) -> SendingState:
        """Enable the mapping, and remove the tags. When it returns, Lambda receives messages again."""
        self._set(enabled=True)
        self.account.sqs.untag_queue(QueueUrl=self.account.queues.replies, TagKeys=[PAUSED_BY, PAUSED_AT])
        return self._wait_until(ENABLED)

    def longest_invocation(self) -> int:
        """The function's time-out: the seconds after which Lambda ends every invocation."""
        name = self.account.output("FunctionName")
        return self.account.functions.get_function_configuration(FunctionName=name)["Timeout"]

    def wait_for_invocations(self, seconds: float) -> None:
        """Wait, once the mapping is disabled, until every invocation has ended.

        AWS does not say when the last one ends. The queue's count of messages in flight includes those that wait for
        their backoff, and lags; CloudWatch's ConcurrentExecutions is late. Only the function's time-out is certain.

        Args:
            seconds: The function's time-out.
        """
        self.sleep(seconds)

    def _set(self, *, enabled: bool) -> None:
        """Update the mapping. Repeat it while Lambda still works on another update."""
        give_up_at = self.clock() + MAX_WAIT_SECONDS
        mapping = self.account.output("MappingId")
        while True:
            try:
                self.account.functions.update_event_source_mapping(UUID=mapping, Enabled=enabled)
            except ClientError as error:
                if error.response["Error"].get("Code") != "ResourceInUseException" or self.clock() > give_up_at:
                    raise
                self.sleep(POLL_SECONDS)
            else:
                return

    def _wait_until(self, state: str) -> SendingState:
        give_up_at = self.clock() + MAX_WAIT_SECONDS
        while (seen := sending_state(self.account)).mapping != state:
            if self.clock() > give_up_at:
                problem = f"The event source mapping is still {seen.mapping} after {MAX_WAIT_SECONDS} s."
                raise MappingTimeoutError(f"{problem} Run the command again to go on waiting.")
            self.sleep(POLL_SECONDS)
        return seen
