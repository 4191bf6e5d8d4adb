"""Sending can be switched off and on: the function's event source mapping, and who has paused it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from contract.client_token import iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from courier.aws import Account

PAUSED_BY, PAUSED_AT = "ReplyCourier.PausedBy", "ReplyCourier.PausedAt"
"""Tags of the queue of replies: they outlive the function, its mapping and a deployment, and the console shows them."""
ENABLED, DISABLED = "Enabled", "Disabled"
STOPPING = {"Disabling", DISABLED}
LOOKS_OF_TAGS = 5
"""After so many looks a tag that is not as it was set was changed by somebody else."""
LOOK_SECONDS = 2
PATIENCE_SECONDS = 600
"""How long a mapping may take to change its state. AWS documents no time; it takes seconds, at times minutes."""


class StuckError(Exception):
    """The mapping did not get into the state that was asked for; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Sending:
    """Whether replies are being sent.

    Attributes:
        state: The mapping's state, as Lambda names it; None if it is not known.
        paused_by: Who has paused it, with courier.
        paused_at: When, in ISO 8601.
    """

    state: str | None = None
    paused_by: str | None = None
    paused_at: str | None = None

    @property
    def is_off(self) -> bool:
        """Whether nothing is received, or soon nothing will be."""
        return self.state in STOPPING

    @property
    def was_switched_on(self) -> bool:
        """Whether it was paused with courier and enabled by something else: the console, or a deployment."""
        return self.paused_by is not None and self.state is not None and not self.is_off

    def to_json(self) -> dict[str, Any]:
        """As `pause --json`, `resume --json` and `status --json` write it."""
        return {"mapping": self.state, "paused": {"by": self.paused_by, "at": self.paused_at} if self.is_off else None}


def sending_now(account: Account) -> Sending:
    """How it stands.

    Raises:
        courier.aws.NotOurStackError: The stack does not name its mapping.
        botocore.exceptions.ClientError, BotoCoreError: Lambda or SQS do not tell.
    """
    mapping = account.functions.get_event_source_mapping(UUID=account.output("MappingId"))
    tags = account.sqs.list_queue_tags(QueueUrl=account.queues.replies).get("Tags", {})
    return Sending(mapping["State"], tags.get(PAUSED_BY), tags.get(PAUSED_AT))


@dataclass(frozen=True)
class Switch:
    """Switches sending off and on.

    Attributes:
        account: Where.
        clock: Seconds, never going back.
        sleep: Waits a number of seconds.
    """

    account: Account
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    def pause(self, now: float) -> Sending:
        """Have Lambda stop, and note who asked for it, unless somebody has paused it before.

        Returns once the mapping is disabled: Lambda receives no more messages. Invocations may still be in flight.

        Args:
            now: Seconds since the epoch.

        Raises:
            StuckError: It is not disabled yet.
            courier.aws.NotOurStackError: The stack does not name its mapping.
            botocore.exceptions.ClientError, BotoCoreError: A call failed.
        """
        before = sending_now(self.account)
        self._set(enabled=False)
        if before.paused_by is None or before.was_switched_on:
            who = {PAUSED_BY: self.account.caller, PAUSED_AT: iso(now)}
            self.account.sqs.tag_queue(QueueUrl=self.account.queues.replies, Tags=who)
        self._until(DISABLED, paused=True)
        return sending_now(self.account)

    def longest_invocation(self) -> int:
        """Seconds after which Lambda ends every invocation, done or not."""
        name = self.account.output("FunctionName")
        return self.account.functions.get_function_configuration(FunctionName=name)["Timeout"]

    def wait_for_invocations(self, seconds: float) -> None:
        """Wait, once the mapping is disabled, until every invocation has ended.

        Nothing in AWS says when the last one ends: the queue's count of messages in flight holds those that wait for
        their backoff as well, and lags; CloudWatch's ConcurrentExecutions is late. The function's time-out is sure.

        Args:
            seconds: The longest that one lasts.
        """
        self.sleep(seconds)

    def resume(self) -> Sending:
        """Have Lambda go on, and forget who paused it. Returns once the mapping is enabled.

        Raises:
            StuckError: It is not enabled yet.
            courier.aws.NotOurStackError: The stack does not name its mapping.
            botocore.exceptions.ClientError, BotoCoreError: A call failed.
        """
        self._set(enabled=True)
        self.account.sqs.untag_queue(QueueUrl=self.account.queues.replies, TagKeys=[PAUSED_BY, PAUSED_AT])
        self._until(ENABLED, paused=False)
        return sending_now(self.account)

    @property
    def _mapping(self) -> str:
        return self.account.output("MappingId")

    def _set(self, *, enabled: bool) -> None:
        """Ask for it; again while Lambda still works on another change of the mapping."""
        given_up_at = self.clock() + PATIENCE_SECONDS
        while True:
            try:
                self.account.functions.update_event_source_mapping(UUID=self._mapping, Enabled=enabled)
            except ClientError as refused:
                if refused.response["Error"].get("Code") != "ResourceInUseException" or self.clock() > given_up_at:
                    raise
                self.sleep(LOOK_SECONDS)
            else:
                return

    def _until(self, state: str, *, paused: bool) -> None:
        given_up_at, otherwise = self.clock() + PATIENCE_SECONDS, 0
        while (seen := sending_now(self.account)).state != state:
            # SQS's tags take some seconds until every call sees them.
            otherwise = otherwise + 1 if (seen.paused_by is not None) != paused else 0
            if otherwise > LOOKS_OF_TAGS:
                raise StuckError(f"Somebody has {'resumed' if paused else 'paused'} sending meanwhile: courier status")
            if self.clock() > given_up_at:
                still = f"The event source mapping is still {seen.state} after {PATIENCE_SECONDS} s."
                raise StuckError(f"{still} Run it again, to wait on.")
            self.sleep(LOOK_SECONDS)
