"""Replies through everything that can break: each is sent once, or waits in one place with its reason."""

import random
import time
from collections import Counter

from bench.storm import DRAFT_WORLDS, MAY_HAVE_BEEN_SENT, WORLDS, Storm, storms
from bench.tally import letters
from courier.dead_letters import DeadLetterReader
from courier.trace.log import LogSearch, query
from courier.trace.story import Ending, LetterSummary, Place, stories
from local.connect.control_client import ConnectControl
from local.system import LocalCourier

SEED = 1
REPLIES = 40  # `make storm` sends 300 in each world, with a new seed each time


def told_by_trace(courier: LocalCourier, since: float) -> dict[str, Ending]:
    """Where `courier trace` says that each reply is, by its token: from the log group and the dead-letter queue."""
    assert courier.log_group is not None
    courier.log_group.flush()
    search = LogSearch(courier.aws.logs, courier.log_group.name, since, time.time() + 3_600)
    with DeadLetterReader(courier.aws.sqs, courier.dead_letter_queue_url) as held:
        found = stories(search.run(query()), map(LetterSummary.of, held), time.time())
    assert search.is_complete
    return {story.token or "": story.ending for story in found}


def test_in_a_storm_no_reply_is_lost_sent_twice_or_dead_lettered_without_cause() -> None:
    storm = Storm(random.Random(SEED), doubled=0.1)
    answers_lost, seen, calls_failed = 0, [], Counter[str]()
    began = time.time()
    worlds = (*WORLDS, DRAFT_WORLDS[0], DRAFT_WORLDS[-2])
    for world, tally, courier in storms(storm, REPLIES, print, send_rate=10, worlds=worlds):
        for line in courier.logs:
            print(line.line)
        print(courier.traces)
        print(world, tally, storm.struck, courier.sqs_faults.struck)
        assert tally.wrong == {}
        assert tally.sent > tally.replies * 0.8
        assert tally.repeats > 0 or world.drafts
        endings = told_by_trace(courier, began)
        sent = {call["client_token"] for call in ConnectControl(courier.connect_url).calls if call["accepted"]}
        for token in sent:
            # A letter of that reason says itself that it may have been sent, where no line of the sending is left.
            is_doubtful = world.drafts and endings[token].why in MAY_HAVE_BEEN_SENT
            assert endings[token].place is Place.SENT or endings[token].why == "TokenAlreadyUsed" or is_doubtful
        for letter in letters(courier):
            assert letter.token in sent or endings[letter.token].place is Place.DEAD_LETTERED
        answers_lost += tally.answers_lost
        calls_failed = Counter(operation for operation, _ in courier.sqs_faults.struck.elements())
        seen.append(world)
        began = time.time()  # both storms share a log, and use the same producers' tokens
    assert tuple(seen) == worlds
    # They were storms; how strong ones, the seed and the machine's pace decide.
    assert storm.struck["Runtime.ExitError"]
    assert storm.struck["delivered twice"]
    assert answers_lost
    assert calls_failed["SendMessage"]
    assert calls_failed["PutEvents"]
