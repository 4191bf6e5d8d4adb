"""Waits until the queue is empty, and skips the time in which nothing can happen."""

from collections.abc import Callable

from local.sqs import counts_of
from local.system import LocalCourier
from local.waiting import until

LOOK_EVERY = 0.2
"""Seconds. A dozen systems that looked more often would slow each other down."""
PATIENCE = 120
"""Seconds without progress until a time-out. One invocation can take most of them."""


def wait_until_empty(
    courier: LocalCourier, step: float | None = None, skipped: Callable[[], object] = lambda: None
) -> None:
    """Wait until no message is on the queue, in flight or waiting for its backoff.

    While all messages are hidden and no function runs, SQS's clock skips ahead until a message is visible.

    Args:
        courier: The system with the queue.
        step: How many seconds to skip at once. The default is the longest safe time.
        skipped: Called after each skip.

    Raises:
        TimeoutError: Nothing changed for ``PATIENCE`` seconds.
    """
    # A received message is hidden for six times the function's timeout. If it is received just before the skip, it
    # stays hidden for one timeout, which is as long as its invocation can take.
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
