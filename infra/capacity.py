"""Every number that the stack derives from the settings."""

import math
from dataclasses import dataclass

from infra.settings import Settings

PLANNED_CALL_SECONDS = 1.5  # planned for one reply, its draft included; an environment sends one at a time
BATCH_SIZE = 1  # a crash then affects no other message, and an invocation costs a millionth of what an email costs
MARGIN_SECONDS = 90  # a delivery with a draft in which every call times out: 28 s before the attempt, 12 s, 46 s after
HOLD_SECONDS = 60  # seconds that the function waits while throttled or full, which saves a receive
BURST_PER_RATE = 2.5  # Connect's quotas come as 2 requests a second with a burst of 5
MEAN_BACKOFF_SECONDS = 450  # full jitter below 900 s: half of that on average
RAMP_UP_RECEIVES = 10  # receives that the backoff uses up while it grows to its 900 s
RETENTION_SECONDS = 14 * 86_400  # the longest that SQS takes
HANDLER_FIRST_RECEIVES = 10  # chances for the handler to dead-letter a message before SQS does
MAX_RECEIVE_COUNT = 1000  # the largest that SQS takes: its own move loses the token, so the handler has to be first
OUTAGE_SECONDS = 12 * 3600  # how long the function may not start, with a receive for each visibility timeout


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the queue, the mapping and the function are set to.

    Attributes:
        concurrency: Execution environments at once (the mapping's MaximumConcurrency).
        share: Replies a second that one environment may send.
        burst: Replies that one environment may send at once after a pause.
        batch_size: Messages for each invocation.
        function_timeout: Seconds.
        visibility_timeout: Seconds.
        retry_seconds: The retry window, from a message's first receive.
        crash_loop_seconds: How long after its first receive a message may be presumed to crash the function.
        max_receives: The handler dead-letters a message that was received more often.
        max_receive_count: SQS dead-letters a message that was received more often.
        retention_seconds: How long both queues keep a message.
    """

    concurrency: int
    share: float
    burst: int
    batch_size: int
    function_timeout: int
    visibility_timeout: int
    retry_seconds: int
    max_receives: int
    crash_loop_seconds: int
    max_receive_count: int
    retention_seconds: int


def capacity(settings: Settings) -> Capacity:
    """Derive the numbers from `sendRate` and `retryHours`."""
    # Enough environments that their replies, one after the other, reach the rate; an SQS mapping takes 2 to 1000.
    concurrency = max(2, math.ceil(settings.send_rate * PLANNED_CALL_SECONDS))
    # All environments together never exceed the rate.
    share = settings.send_rate / concurrency
    # All environments together use the quota's burst. Rounded up where that exceeds it by a call at most: it may be
    # throttled, after a pause only, and is repeated without another receive.
    quotas_burst = settings.send_rate * BURST_PER_RATE
    burst_rounded_down = max(1, math.floor(quotas_burst / concurrency))
    exceeds_little = (burst_rounded_down + 1) * concurrency - quotas_burst <= 1
    burst = burst_rounded_down + 1 if exceeds_little else burst_rounded_down
    # A batch at its pace, a wait while Connect is throttled or full, and then one delivery that goes wrong.
    function_timeout = math.ceil(BATCH_SIZE / share + HOLD_SECONDS + MARGIN_SECONDS)
    # AWS's advice for SQS mappings: room for Lambda's own retries of a throttled invocation.
    visibility_timeout = 6 * function_timeout
    # At least a second: 0 would mean no window at all.
    retry_seconds = max(1, round(settings.retry_hours * 3600))
    # Twice the receives to expect in an outage of the function and a retry window after it: neither bad luck with the
    # jitter nor hand-backs cut it short.
    crash_loop_seconds = retry_seconds + OUTAGE_SECONDS
    expected = crash_loop_seconds / MEAN_BACKOFF_SECONDS + RAMP_UP_RECEIVES
    max_receives = min(MAX_RECEIVE_COUNT - HANDLER_FIRST_RECEIVES, 2 * math.ceil(expected))
    return Capacity(
        concurrency=concurrency,
        share=share,
        burst=burst,
        batch_size=BATCH_SIZE,
        function_timeout=function_timeout,
        visibility_timeout=visibility_timeout,
        retry_seconds=retry_seconds,
        max_receives=max_receives,
        crash_loop_seconds=crash_loop_seconds,
        max_receive_count=MAX_RECEIVE_COUNT,
        retention_seconds=RETENTION_SECONDS,
    )
