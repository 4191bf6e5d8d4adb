"""Somebody else who uses the same quota."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from random import Random

from botocore.config import Config

from local.aws import LocalAws
from local.cdk import INSTANCE_ARN
from local.replies import reply

MOST_CALLS_AT_ONCE = 64


@contextmanager
def other_caller(
    aws: LocalAws, connect_url: str, rate: float, begins: float, contacts: Sequence[str]
) -> Iterator[None]:
    """Call Connect at random moments, and give up what is throttled; until the end of the context.

    Args:
        aws: For a client.
        connect_url: Whom to call.
        rate: Calls a second, on average.
        begins: When, in epoch seconds.
        contacts: To whom the caller replies, once to each.

    Raises:
        Exception: A call failed otherwise; when the context ends.
    """
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=MOST_CALLS_AT_ONCE)
    client = aws.session.client("connect", endpoint_url=connect_url, config=config)
    # Once, before any thread: botocore makes these classes when they are first read, and each thread could get its own.
    throttled = client.exceptions.ThrottlingException
    stopping = threading.Event()

    def call(contact: str) -> None:
        with suppress(throttled):
            client.start_outbound_email_contact(InstanceId=INSTANCE_ARN.rpartition("/")[2], **reply(contact))

    def calls() -> None:
        rng = Random(1)
        at = begins
        with ThreadPoolExecutor(MOST_CALLS_AT_ONCE) as pool:
            made = []
            for contact in contacts:
                at += rng.expovariate(rate)
                if stopping.wait(max(0.0, at - time.time())):
                    break
                made.append(pool.submit(call, contact))
        for each in made:
            each.result()

    with ThreadPoolExecutor(1) as program:
        running = program.submit(calls)
        try:
            yield
        finally:
            stopping.set()
        running.result()
