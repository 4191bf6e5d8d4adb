"""Listing a queue in memory: every letter once, and all of them given back, whatever SQS does."""

import signal
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from contract.client_token import iso
from courier.dead_letters import MOVED_BY_SQS, DeadLetterReader, hold_seconds, parse_letter
from local.aws import ROOT
from tests.fakes.faults import refusal
from tests.fakes.function import FakeClock
from tests.fakes.sqs import FakeSqs, letters
from tests.letters import NOW, letter


def holding(queues: FakeSqs) -> DeadLetterReader:
    return DeadLetterReader(queues, "dead")  # type: ignore[arg-type]  # the operations that are called


@pytest.mark.parametrize("duplicate", [False, True])
@pytest.mark.parametrize("count", [0, 1, 10, 137])
def test_each_letter_is_listed_once_and_given_back(count: int, duplicate: bool) -> None:
    queues = letters(count, duplicate=duplicate)
    with holding(queues) as held:
        assert sorted(int(letter.body) for letter in held) == list(range(count))
    assert not queues.hidden
    assert len(queues.queues.get("dead", {})) == count


def test_letters_whose_time_is_over_meanwhile_do_not_go_round_for_ever() -> None:
    queues = letters(25)
    seen = []
    with holding(queues) as held:
        for letter in held:
            seen.append(letter.id)
            queues.hidden.clear()
    assert len(set(seen)) == len(seen) == 25


@pytest.mark.usefixtures("ctrl_c")
def test_a_second_interruption_does_not_stop_the_giving_back() -> None:
    queues = letters(50)

    def interrupt(operation: str) -> None:
        if operation == "change_message_visibility_batch":
            signal.raise_signal(signal.SIGINT)  # the second Ctrl-C

    queues.before = interrupt
    with pytest.raises(KeyboardInterrupt), holding(queues) as held:
        list(held)
    assert not queues.hidden


def test_what_is_held_is_given_back_when_the_work_is_cut_off() -> None:
    queues = letters(50)

    def cut_off() -> None:
        with holding(queues) as held:
            for n, _ in enumerate(held):
                if n == 30:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert not queues.hidden


def test_what_cannot_be_released_is_reported_and_hides_no_other_error(capsys: pytest.CaptureFixture[str]) -> None:
    queues = letters(3)

    def refuse(operation: str) -> None:
        if operation == "change_message_visibility_batch":
            raise refusal(403, "AccessDenied")

    queues.before = refuse

    def fail() -> None:
        with DeadLetterReader(queues, "dead") as held:  # type: ignore[arg-type]
            next(iter(held))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert "visible again within 60 s" in capsys.readouterr().err


def test_a_letter_received_again_is_given_back_with_its_newest_receipt_handle() -> None:
    queues = letters(3)
    queues.before = lambda _operation: queues.hidden.clear()  # each receive comes after the letters' time is over
    with holding(queues) as held:
        assert len(list(held)) == 3
    last = queues.calls.count("receive_message") - 1
    assert last > 0
    assert {handle.partition("/")[2] for handle in queues.given_back} == {str(last)}
    assert len(queues.given_back) == 3


@pytest.mark.parametrize("counted", [0, 10, 25, 40])
def test_every_letter_is_listed_whatever_the_queues_count_says(counted: int) -> None:
    queues = letters(25, misses=True, counted=counted)
    with holding(queues) as held:
        assert len(list(held)) == 25


def test_a_list_is_complete_where_each_call_takes_half_a_second() -> None:
    clock = FakeClock()
    queues = letters(4_000, now=clock, before=lambda _operation: clock.sleep(0.5))
    with holding(queues) as held:
        assert len(list(held)) == 4_000
    assert held.unseen_failures() == []


def test_letters_that_somebody_else_holds_are_missing_and_a_list_says_so() -> None:
    queues = letters(25)
    queues.receive_message(QueueUrl="dead", MaxNumberOfMessages=10, WaitTimeSeconds=1)
    with holding(queues) as held:
        assert len(list(held)) == 15
    (not_seen,) = held.unseen_failures()
    assert not_seen.name == "about 10 letters"


def test_letters_that_were_held_before_by_the_same_command_are_nobody_elses() -> None:
    queues = letters(5)
    reader = holding(queues)
    with reader as held:
        held.delete(next(held.batches(2)))
    counts = {"ApproximateNumberOfMessages": "3", "ApproximateNumberOfMessagesNotVisible": "5"}  # it lags
    queues.get_queue_attributes = lambda **_: {"Attributes": counts}  # type: ignore[method-assign]
    with reader as held:
        assert len(list(held)) == 3
    assert held.unseen_failures() == []


def test_a_list_that_never_ends_gives_up_and_says_so() -> None:
    queues = letters(5)
    queues.after = lambda _operation: queues.hidden.clear()
    with holding(queues) as held:
        assert len(list(held)) == 5
    assert held.unseen_failures()


MEMORY = """
import resource, sys
from tests.fakes.sqs import FakeSqs
from courier.dead_letters import DeadLetterReader

class Endless(FakeSqs):
    "As many letters as are asked for, none of them kept."
    left = int(sys.argv[1])
    def get_queue_attributes(self, **_):
        return {"Attributes": {
            "ApproximateNumberOfMessages": str(self.left), "ApproximateNumberOfMessagesNotVisible": "0"}}
    def receive_message(self, **_):
        batch = range(max(0, self.left - 10), self.left)
        self.left -= len(batch)
        return {"Messages": [
            {"MessageId": f"{n:036}", "ReceiptHandle": f"{n:0400}", "Body": "b" * 10_000,
             "Attributes": {"SentTimestamp": "1800000000000"}} for n in batch]}

with DeadLetterReader(Endless(), "dead") as held:
    count = sum(1 for _ in held)
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
"""Lists so many letters, with receipt handles of the length that SQS's have; prints count and MiB at the most."""


def test_as_many_letters_as_sqs_lets_be_in_flight_take_less_than_150_mib() -> None:
    # Through a shell that forks: else the process would inherit the peak of the one that runs the tests (getrusage(2)).
    fork = ["/bin/sh", "-c", '"$@"; exit $?', "sh"]
    ran = subprocess.run(
        [*fork, sys.executable, "-c", MEMORY, "120000"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    listed, mebibytes = ran.stdout.split()
    assert int(listed) == 120_000
    assert float(mebibytes) < 150


def test_letters_are_held_as_long_as_the_work_takes_and_no_longer_than_sqs_allows() -> None:
    assert hold_seconds(500, None) == 65
    assert hold_seconds(500, 2) == 310
    assert hold_seconds(100_000, 1000) == 1060
    assert hold_seconds(1_000_000, 1) == 43_200


WEEK = 7 * 86_400 - 3_600  # a delivery can straddle the seventh day


def test_a_letter_is_too_old_seven_days_after_its_first_try() -> None:
    tried = letter(sent_at=NOW + WEEK, Reason="NotFound", FirstTriedAt=iso(NOW))
    assert not tried.token_expired(NOW + WEEK)
    assert tried.token_expired(NOW + WEEK + 1)


def test_an_untried_letter_is_never_too_old_unless_sqs_moved_it() -> None:
    assert not letter(Reason="InvalidReply").token_expired(NOW + 100 * WEEK)
    assert not letter().token_expired(NOW + WEEK)
    assert letter().token_expired(NOW + WEEK + 1)
    assert replace(letter(Reason="InvalidReply"), was_moved=True).token_expired(NOW + WEEK + 1)


def test_a_first_try_that_cannot_be_read_is_too_old() -> None:
    assert letter(Reason="NotFound", FirstTriedAt="yesterday").token_expired(NOW)


def test_what_is_received_is_what_was_sent() -> None:
    values: Any = {
        "a": {"DataType": "Binary", "BinaryValue": b"\0\xff"},
        "b": {"DataType": "Number", "StringValue": "1"},
    }
    system = {"SentTimestamp": "1500", "MessageGroupId": "g", "AWSTraceHeader": "t", "DeadLetterQueueSourceArn": "a"}
    message: Any = {"MessageId": "i", "ReceiptHandle": "h", "Body": "b", "Attributes": system,
                    "MessageAttributes": values}  # fmt: skip
    one = parse_letter(message)
    assert (one.attributes, one.sent_at, one.reason) == (values, 1.5, MOVED_BY_SQS)
    assert one.system_attributes == {"MessageGroupId": "g", "AWSTraceHeader": "t"}
    assert one.was_moved
