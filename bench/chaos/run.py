"""Replies through a storm, redriven again and again, and every one of them accounted for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random

from bench.chaos import outcomes
from bench.chaos.storm import Storm
from bench.chaos.tally import Account, account, letters
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.outcomes import BUS, subscribe
from local.replies import Reply, replies
from local.sqs import redrive
from local.system import LocalCourier, running

REDRIVES = 2
REPEATS = ("same_contact", "conflict")
"""What Connect answers to a repeated token: 200, or 409."""


def is_survived(seed: int, replies: int) -> bool:
    """Send replies through both storms, and print what became of them; return whether nothing went wrong."""
    storm = Storm(Random(seed))
    survived = True
    for repeat, tally, courier in storms(storm, replies, lambda _: None):
        print(f"seed {seed}, a repeat answers {repeat}: {tally}", storm.struck, courier.sqs_faults.struck)
        survived &= not tally.wrong
    return survived


def storms(
    storm: Storm, replies: int, print_line: Callable[[str], object], send_rate: int = 40
) -> Iterator[tuple[str, Account, LocalCourier]]:
    """Deploy once, and send replies through a storm for each answer that a repeat may get.

    Where a repeat answers 409, a message with a producer's token is never handed out twice at once: that is the one
    case that cannot be told from a token used for two replies, and is dead-lettered as such (docs/design.md).

    Args:
        storm: What strikes.
        replies: How many, each time.
        print_line: Is given the output of the deployment.
        send_rate: The stack's, which decides how many execution environments there are.

    Yields:
        What a repeat answered, what became of the replies, and the system, still running.
    """
    with running(print_line, context={"sendRate": str(send_rate), "eventBusName": BUS}, around=storm.around) as courier:
        for repeat in REPEATS:
            storm.doubles_own_tokens = repeat == "same_contact"
            yield repeat, run(courier, storm, replies, repeat=repeat), courier
            courier.aws.skip(60)  # SQS purges a queue once in 60 s
            courier.aws.sqs.purge_queue(QueueUrl=courier.dead_letter_queue_url)


def run(courier: LocalCourier, storm: Storm, count: int, *, repeat: str) -> Account:
    """Send replies through the storm, mend some causes, redrive, and account for every reply.

    Args:
        courier: The running system, with `storm.around` around its environments.
        storm: What strikes it, and where the replies' own chance comes from.
        count: Replies.
        repeat: What Connect answers to a repeated token: "same_contact" or "conflict".
    """
    given = list(replies(count, storm.rng))
    connect = ConnectControl(courier.connect_url)
    connect.reset()
    seed = storm.rng.getrandbits(32)
    # A sent contact takes another email: only tokens are to keep replies from being sent twice.
    connect.settings(rate=1000, burst=1000, latency_ms=150, repeat=repeat, used_draft="send", seed=seed)
    draft(connect, given, "sound", "invalid")
    heard = subscribe(courier.aws)
    heard.take()  # of a run before
    with storm.striking(courier, connect, count):
        put(courier, given)
        wait_until_empty(courier)
        looks = [list(letters(courier))]
        draft(connect, given, "mended")
        for _ in range(REDRIVES):
            redrive(courier.aws.sqs, courier.dead_letter_queue_url, courier.queue_url)
            wait_until_empty(courier)
            looks.append(list(letters(courier)))
    courier.poller.pause()  # returns when every invocation is over: a copy may still be in one
    courier.poller.resume()
    calls, events = connect.calls, heard.take()
    accepted = {call["client_token"] for call in calls if call["accepted"]}
    letters_ever = {letter for look in looks for letter in look}
    lost = outcomes.counted_as_lost(line.line for line in courier.logs)
    return replace(
        account(given, calls, looks),
        told_falsely=outcomes.told_falsely(events, accepted, letters_ever),
        untold=outcomes.untold(events, accepted, letters_ever, lost),
    )


def draft(connect: ConnectControl, given: Sequence[Reply], *kinds: str) -> None:
    """Make the contacts of some kinds of replies."""
    connect.draft(*(reply.label for reply in given if reply.kind in kinds))


def put(courier: LocalCourier, given: Sequence[Reply]) -> None:
    """Put replies on the queue."""
    for reply in given:
        courier.aws.sqs.send_message(
            QueueUrl=courier.queue_url,
            MessageBody=reply.body,
            MessageAttributes={n: {"DataType": "String", "StringValue": v} for n, v in reply.attributes.items()},
        )
