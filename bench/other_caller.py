"""Somebody else who uses the same quota."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from random import Random

from botocore.config import Config
from botocore.exceptions import ClientError

from bench.replies import reply
from local.aws import LocalAws
from local.cdk import INSTANCE_ARN
from local.connect_control import ConnectControl

PREFIX = "other-"
"""What the contacts begin with that the other caller replies to."""
MOST_CALLS_AT_ONCE = 64


@contextmanager
def other_caller(aws: LocalAws, connect: ConnectControl, rate: float, begins: float, contacts: int) -> Iterator[None]:
    """Call Connect at random moments, and give up what is throttled; until the end of the context.

    Args:
        aws: For a client.
        connect: Whom to call.
        rate: Calls a second, on average.
        begins: When, in epoch seconds.
        contacts: To how many the caller replies at most.
    """
    labels = [f"{PREFIX}{n}" for n in range(contacts)]
    connect.draft(*labels)
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=MOST_CALLS_AT_ONCE)
    client = aws.session.client("connect", endpoint_url=connect.url, config=config)
    stopping = threading.Event()

    def call(label: str) -> None:
        with suppress(ClientError):
            client.start_outbound_email_contact(InstanceId=INSTANCE_ARN.rpartition("/")[2], **reply(label))

    def calls() -> None:
        rng = Random(1)
        at = begins
        with ThreadPoolExecutor(MOST_CALLS_AT_ONCE) as pool:
            for label in labels:
                at += rng.expovariate(rate)
                if stopping.wait(max(0.0, at - time.time())):
                    break
                pool.submit(call, label)

    caller = threading.Thread(target=calls, name="other caller")
    caller.start()
    try:
        yield
    finally:
        stopping.set()
        caller.join()
