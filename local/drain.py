"""Waits until the queue is empty, and skips the time in which nothing can happen."""

from collections.abc import Callable

from local.sqs import counts_of
from local.system import LocalCourier
from local.waiting import until

LOOK_EVERY = 0.2
"""Seconds. With a dozen systems at once, looking more often would slow down what is looked at."""
PATIENCE = 120
"""Seconds without progress before giving up; one invocation may take most of them."""


def wait_until_empty(
    courier: LocalCourier, step: float | None = None, skipped: Callable[[], object] = lambda: None
) -> None:
    """Wait until no message is on the queue, in flight or waiting for its backoff.

    When every message left is hidden and no function runs, SQS's clock is skipped ahead until one is visible.

    Args:
        courier: Whose queue.
        step: How many seconds to skip at once; by default, as many as is safe.
        skipped: Called after each step.

    Raises:
        TimeoutError: Nothing changed for too long.
    """
    # Messages are hidden for six times the function's timeout. One that is received at the very moment of the skip
    # keeps a sixth of that, which is as long as its invocation can take.
    step = step or 5 * courier.function.timeout
    counts = (0, 0)

    def is_empty() -> bool:
        nonlocal counts
        counts = visible, hidden = counts_of(courier.aws.sqs, courier.queue_url)
        if hidden and not visible and courier.poller.is_idle:
            courier.aws.skip(step)
            skipped()
        return not any(counts)

    until(is_empty, "the queue was empty", PATIENCE, every=LOOK_EVERY, progress=lambda: f"(visible, hidden) {counts}")
