"""Replies through everything that can break: each is sent once, or waits in one place with its reason."""

import os
import random
from collections import Counter

from bench.chaos.run import REPEATS, storms
from bench.chaos.storm import Storm

SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(2**32))
REPLIES = 80  # `make storm` sends 300, twice


def test_in_a_storm_no_reply_is_lost_sent_twice_or_dead_lettered_without_cause() -> None:
    print(f"CHAOS_SEED={SEED} repeats this run")
    storm = Storm(random.Random(SEED), doubled=0.1)
    answers_lost, seen, calls_failed = 0, [], Counter[str]()
    for repeat, tally, courier in storms(storm, REPLIES, print):
        for line in courier.logs:
            print(line.line)
        print(courier.traces)
        print(repeat, tally, storm.struck, courier.sqs_faults.struck)
        assert tally.wrong == {}
        assert tally.sent > REPLIES * 0.8
        assert tally.repeats > 0
        answers_lost += tally.answers_lost
        calls_failed = Counter(operation for operation, _ in courier.sqs_faults.struck.elements())
        seen.append(repeat)
    assert tuple(seen) == REPEATS
    # They were storms.
    assert storm.struck["Runtime.ExitError"] > 3
    assert storm.struck["handed out twice"] > 3
    assert answers_lost > 3
    assert calls_failed["SendMessage"] > 3
    assert calls_failed["PutEvents"] > 3
