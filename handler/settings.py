"""The function's settings: the only place that reads the environment. The stack sets every one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


class SettingsError(ValueError):
    """An environment variable is missing or invalid. The text names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What one execution environment needs to know.

    Attributes:
        instance_arn: The Amazon Connect instance that replies are sent from.
        queue_url: The queue that the messages come from.
        dead_letter_queue_url: The queue for messages that can't be sent.
        payload_bucket: The bucket for bodies that are larger than a message.
        draft_table: The DynamoDB table that knows the drafts of replies.
        event_bus_name: The event bus for outcomes; empty for none.
        send_rate_share: Replies a second that this one environment may send.
        burst_share: Replies that this one environment may send at once after a pause.
        retry_seconds: The retry window, from a message's first receive.
        max_receives: A message that was received more often is dead-lettered before anything else.
        crash_loop_seconds: How long after its first receive a message may be presumed to crash the function: the retry
            window, and an outage of the function itself.
        retention_seconds: How long the queue keeps a message, from when it was sent.
        allowed_recipients: Patterns of the addresses that replies may go to. Without patterns, all are allowed.
    """

    instance_arn: str
    queue_url: str
    dead_letter_queue_url: str
    payload_bucket: str
    draft_table: str
    event_bus_name: str
    send_rate_share: float
    burst_share: int
    retry_seconds: int
    max_receives: int
    crash_loop_seconds: int
    retention_seconds: int
    allowed_recipients: tuple[str, ...]

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings from the function's environment variables.

        Raises:
            SettingsError: A variable is missing, or is not a number where one is required.
        """
        try:
            return cls(
                instance_arn=environ["CONNECT_INSTANCE_ARN"],
                queue_url=environ["QUEUE_URL"],
                dead_letter_queue_url=environ["DEAD_LETTER_QUEUE_URL"],
                payload_bucket=environ["PAYLOAD_BUCKET"],
                draft_table=environ["DRAFT_TABLE"],
                event_bus_name=environ["EVENT_BUS_NAME"],
                send_rate_share=float(environ["SEND_RATE_SHARE"]),
                burst_share=int(environ["BURST_SHARE"]),
                retry_seconds=int(environ["RETRY_SECONDS"]),
                max_receives=int(environ["MAX_RECEIVES"]),
                crash_loop_seconds=int(environ["CRASH_LOOP_SECONDS"]),
                retention_seconds=int(environ["RETENTION_SECONDS"]),
                allowed_recipients=tuple(environ["ALLOWED_RECIPIENTS"].split()),
            )
        except KeyError as error:
            message = f"Environment variable {error} is not set. Deploy the function with its stack, which sets it."
            raise SettingsError(message) from error
        except ValueError as error:
            message = (
                f"An environment variable is not a number: {error}. Deploy the function with its stack, which sets it."
            )
            raise SettingsError(message) from error
