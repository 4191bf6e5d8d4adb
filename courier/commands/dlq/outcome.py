"""What a person is told of replies that were put on the queue again."""

import math
import time
from collections import Counter
from collections.abc import Set as AbstractSet

from botocore.exceptions import BotoCoreError, ClientError

from courier.aws import Account
from courier.queues.letter import printable_identifier
from courier.queues.selection import short
from courier.terminal import view
from courier.terminal.errors import explain
from courier.terminal.letter_list import counted
from courier.terminal.waiting import waiting
from courier.tracing.log_search import LogSearchError
from courier.tracing.outcomes import Outcomes, Watch

PATIENCE_SECONDS = 900
"""How long a wait lasts at the most, where the operator does not say. A reply that Connect puts off waits longer."""


def listen(account: Account, outcomes: Outcomes, since: float, *, wait: bool, timeout: float | None) -> None:
    """Have the function's log tell what became of replies; where it cannot, a person is told, and nothing else stops.

    Args:
        account: Where.
        outcomes: What became of them, as far as it is known.
        since: When the first of them was put on the queue, in seconds since the epoch.
        wait: Whether to wait until each is sent or back.
        timeout: How long, in seconds; None is PATIENCE_SECONDS.
    """
    watch = Watch(account, time.time, time.monotonic, time.sleep)
    seconds = PATIENCE_SECONDS if timeout is None else timeout
    try:
        if not wait:
            watch.look(outcomes, since)
            return
        with waiting(f"Waiting until each is sent or back, {short(seconds)} at most; Ctrl-C ends it"):
            watch.wait(outcomes, since, seconds)
    except LogSearchError as failed:
        view.warn(str(failed))
    except (BotoCoreError, ClientError) as error:
        view.warn(explain(error, account))


def in_words(outcomes: Outcomes) -> str:
    """How many are sent, came back, or are not known yet: "3 sent, 1 came back (1 NotFound), 0 not known yet"."""
    reasons = f" ({counted(Counter(outcomes.came_back.values()))})" if outcomes.came_back else ""
    back, open_ = len(outcomes.came_back), len(outcomes.not_known)
    return f"{len(outcomes.sent)} sent, {back} came back{reasons}, {open_} not known yet"


def more(outcomes: Outcomes, since: float) -> None:
    """Name the command that tells why replies came back, and the one that tells what becomes of the others."""
    recent = f"--newer-than {max(1, math.ceil((time.time() - since) / 3600))}h"
    if outcomes.came_back:
        view.warn(f"Why: {_trace(outcomes.came_back.keys()) or f'courier dlq groups {recent}'}")
    if not_known := outcomes.not_known:
        many = f"courier status; those that came back: courier dlq list {recent}"
        view.warn(f"What becomes of {'it' if len(not_known) == 1 else 'them'}: {_trace(not_known) or many}")


def _trace(tokens: AbstractSet[str]) -> str | None:
    """The command that tells of a single reply, if its token may be printed."""
    one = printable_identifier(next(iter(tokens))) if len(tokens) == 1 else None
    return f"courier trace {one}" if one else None
