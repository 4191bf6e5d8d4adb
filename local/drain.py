"""Waits until the queue is empty, and skips the time in which nothing can happen."""

import time
from collections.abc import Callable

from local.sqs.redrive import counts_of
from local.system import LocalCourier

LOOK_EVERY = 0.2
"""Seconds: with a dozen systems at once, more looks take the time of what is looked at."""
PATIENCE = 120
"""Seconds without any progress after which it is given up; one invocation may take most of them."""


def wait_until_empty(
    courier: LocalCourier, step: float | None = None, skipped: Callable[[], object] = lambda: None
) -> None:
    """Wait until nothing is on the queue, in flight or waiting for its backoff.

    When every message left is hidden and no function runs, SQS's clock is skipped ahead until one is visible.

    Args:
        courier: Whose queue.
        step: How many seconds to skip at once. Without it, as many as can be.
        skipped: Called after each step.

    Raises:
        TimeoutError: Nothing went on for too long.
    """
    # Messages are hidden for six times the function's time-out. One that is received at the very moment of the skip
    # keeps the sixth part, and that is all its invocation can take.
    step = step or 5 * courier.function.timeout
    seen, since = None, time.monotonic()
    while any(counts := counts_of(courier.aws.sqs, courier.queue_url)):
        visible, hidden = counts
        if counts != seen:
            seen, since = counts, time.monotonic()
        if time.monotonic() - since > PATIENCE:
            raise TimeoutError(f"the queue is not empty, and nothing goes on: {visible} visible, {hidden} in flight")
        if not visible and courier.poller.is_idle:
            courier.aws.skip(step)
            skipped()
        time.sleep(LOOK_EVERY)
