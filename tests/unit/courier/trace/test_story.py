"""A reply's story from lines and letters in any order, and where it says that the reply is."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.dead_letters import MOVED_BY_SQS
from courier.trace.log import LogLine
from courier.trace.story import LetterSummary, Place, Story, follow, stories
from tests.letters import NOW


def line(at: float, event: str, message_id: str = "m-1", receive: int = 1, **more: Any) -> LogLine:
    named: dict[str, Any] = {"token": "t-1", "enqueued_at": NOW} | more
    return LogLine(NOW + at, f"reply_{event}", message_id, receive_count=receive, **named)


def letter(
    at: float = 10, *, token: str | None = "t-1", letter_id: str = "l-1", reason: str = "NotFound"
) -> LetterSummary:
    return LetterSummary(letter_id, token, "contact-1", "m-1", reason, NOW + at)


SENT = line(1, "sent", connect_request_id="r-1")
ALREADY = line(1, "already_sent")
RETRIED = line(1, "retried", cause="Throttled", seconds=30.0)
HANDED_BACK = line(1, "handed_back", seconds=0.0)
DEAD = line(1, "dead_lettered", reason="NotFound")
TOO_LARGE = LogLine(NOW + 1, "dead_letter_failed", "m-1", "t-1", 1, error="DoesNotFitError")
HIDDEN_FOR_LONG = LogLine(NOW + 2, "visibility_change_failed", "m-1", "t-1", 1, error="ClientError")
REPEATED = LogLine(NOW + 2, "attempt_failed", "m-1", "t-1", 2, cause="TimedOut", seconds=0.5)
MOVED = LetterSummary("m-1", "t-1", None, "m-1", MOVED_BY_SQS, NOW)


def one(*told: LogLine | LetterSummary, now: float = 20, seen: bool = True) -> Story:
    lines = [each for each in told if isinstance(each, LogLine)]
    letters = [each for each in told if isinstance(each, LetterSummary)]
    (story,) = stories(lines, letters, NOW + now, all_letters_seen=seen)
    return story


@pytest.mark.parametrize(
    ("told", "place", "at", "says"),
    [
        ([SENT], "sent", 1, "Sent at 2027-01-15T08:00:01.000Z."),
        ([ALREADY], "sent", None, "Sent before 2027-01-15T08:00:01.000Z: Connect had accepted an earlier attempt"),
        ([ALREADY, line(5, "sent", receive=2)], "sent", 5, "Sent at"),
        ([RETRIED], "waiting", 31, "Waiting until 2027-01-15T08:00:31.000Z: the last attempt failed with Throttled."),
        ([HANDED_BACK], "waiting", 1, "Waiting to be received since 2027-01-15T08:00:01.000Z: there was no time"),
        ([TOO_LARGE, HANDED_BACK], "waiting", None, "too large for the attributes of a dead letter. SQS moves it"),
        ([RETRIED, HIDDEN_FOR_LONG], "waiting", None, "again after the queue's visibility time-out"),
        ([RETRIED, REPEATED], "waiting", None, "Waiting: its last attempt, at 2027-01-15T08:00:02.000Z, has not fin"),
        ([DEAD, letter()], "dead_lettered", 10, "On the dead-letter queue since 2027-01-15T08:00:10.000Z because"),
        ([letter()], "dead_lettered", 10, "because of NotFound."),
        ([letter(reason="TokenAlreadyUsed")], "dead_lettered", 10, "Nobody can tell whether it was sent."),
        ([letter(), letter(12, letter_id="l-2")], "dead_lettered", 12, "(2 messages under this token)"),
        ([MOVED], "dead_lettered", None, "On the dead-letter queue because of MovedBySqs."),
        ([RETRIED, MOVED], "dead_lettered", None, "because of MovedBySqs."),  # its last line is over with
        ([DEAD], "unknown", None, "Unknown: dead-lettered at 2027-01-15T08:00:01.000Z because of NotFound, and not on"),
        # Cut off after the dead-letter queue had it: both copies are told.
        ([DEAD, line(15, "retried", receive=2, seconds=9.0), letter()], "dead_lettered", 10, "Waiting until"),
        # Sent twice under one token is sent once, when it was first accepted.
        ([SENT, line(7, "sent", receive=2)], "sent", 1, "Sent at 2027-01-15T08:00:01.000Z."),
        ([SENT, letter(reason="TokenAlreadyUsed")], "sent", 1, "holds 1 message under the same token"),
        ([DEAD, line(9, "sent", "m-2")], "sent", 9, "Sent at"),
        ([SENT, line(9, "retried", "m-2", seconds=60.0)], "sent", 1, "Sent at"),
        ([DEAD, line(9, "retried", "m-2", seconds=60.0, cause="TimedOut")], "waiting", 69, "TimedOut"),
    ],
)  # fmt: skip
def test_a_story_ends_where_the_reply_is(told: list[Any], place: str, at: float | None, says: str) -> None:
    ending = one(*told).ending
    assert (ending.place, ending.at) == (place, None if at is None else NOW + at)
    assert says in ending.sentence


def test_a_list_with_holes_is_no_proof_that_a_letter_is_gone() -> None:
    assert "run it again" in one(DEAD, seen=False).ending.sentence
    assert "run it again" not in one(DEAD).ending.sentence


def whats(story: Story) -> list[str]:
    return [step.what for step in story.steps]


def test_a_replay_is_told_from_another_message_under_the_token() -> None:
    replayed = one(DEAD, line(9, "sent", "m-2", enqueued_at=NOW + 8))
    assert whats(replayed) == ["put", "reply_dead_lettered", "put_again", "reply_sent"]
    assert [step.at - NOW for step in replayed.steps] == [0, 1, 8, 9]
    assert replayed.steps[2].is_replay
    second = one(SENT, line(9, "sent", "m-2", enqueued_at=NOW + 8))
    assert whats(second) == ["put", "reply_sent", "put_again", "reply_sent"]
    assert not second.steps[2].is_replay


def test_a_replay_during_the_life_of_an_older_copy_is_shown_in_order_of_time() -> None:
    copy = line(30, "sent", receive=2)
    story = one(DEAD, line(9, "sent", "m-2", enqueued_at=NOW + 8), copy)
    assert whats(story) == ["put", "reply_dead_lettered", "put_again", "reply_sent", "reply_sent"]
    assert story.steps[-1].line == copy


def test_receives_that_left_no_line_are_told() -> None:
    crashed = one(line(1, "retried"), line(500, "sent", receive=4))
    assert whats(crashed) == ["put", "reply_retried", "no_line", "reply_sent"]
    assert crashed.steps[2].receives == (2, 3)
    assert one(line(5, "sent", receive=2)).steps[1].receives == (1, 1)
    assert "no_line" not in whats(one(line(1, "retried"), line(2, "retried"), line(3, "sent", receive=2)))


def test_nothing_happened_before_it_was_put() -> None:
    """SQS's clock may be ahead of the function's."""
    story = one(line(1, "sent", enqueued_at=NOW + 900))
    assert [step.at for step in story.steps] == [NOW + 1, NOW + 1]
    assert whats(story) == ["put", "reply_sent"]


def test_lines_of_a_function_that_did_not_say_when_it_was_put_have_a_story() -> None:
    assert whats(one(line(1, "retried", enqueued_at=None))) == ["reply_retried"]


def test_tokens_that_the_log_withholds_are_told_apart_by_message() -> None:
    lines = [line(1, "sent", "m-1", token=None), line(2, "retried", "m-2", token=None, enqueued_at=NOW + 1)]
    first, second = stories(lines, [letter(token="a@b.c")], NOW + 3)
    assert (first.token, first.ending.place, len(first.letters)) == (None, Place.SENT, 1)
    assert (second.token, second.ending.place) == (None, Place.WAITING)


def test_two_lines_of_one_moment_tell_one_story_in_either_order() -> None:
    """SQS delivered a message twice: one delivery retried it, the other one dead-lettered it."""
    told = [one(*lines) for lines in ((RETRIED, DEAD), (DEAD, RETRIED))]
    assert [whats(story) for story in told] == [["put", "reply_retried", "reply_dead_lettered"]] * 2
    assert [story.ending.why for story in told] == ["NotFound"] * 2


EVENTS = ("sent", "already_sent", "retried", "handed_back", "dead_lettered")
LINES = st.builds(
    line,
    st.integers(1, 9),
    st.sampled_from(EVENTS),
    st.sampled_from(("m-1", "m-2")),
    st.integers(1, 4),
    token=st.sampled_from(("t-1", "t-2", None)),
)
LETTERS = st.builds(
    letter, st.integers(1, 9), token=st.sampled_from(("t-1", "t-2")), letter_id=st.text("ab", min_size=1)
)


@given(st.lists(LINES, max_size=8), st.lists(LETTERS, max_size=3), st.randoms(use_true_random=False))
def test_order_and_repetition_of_what_is_found_change_nothing(lines: Any, letters: Any, chance: Any) -> None:
    """Several queries find the same lines, in no order."""
    letters = list({each.id: each for each in letters}.values())
    told = stories(lines, letters, NOW + 20)
    shuffled, more = [*lines, *lines[:2]], [*letters]
    chance.shuffle(shuffled)
    chance.shuffle(more)
    assert {str((s.token, s.ending, len(s.steps))) for s in stories(shuffled, more, NOW + 20)} == {
        str((s.token, s.ending, len(s.steps))) for s in told
    }


@given(st.lists(LINES, max_size=8), st.lists(LETTERS, max_size=3))
def test_every_line_and_letter_is_in_one_story_and_steps_are_in_time_order(lines: Any, letters: Any) -> None:
    letters = list({each.id: each for each in letters}.values())
    told = stories(lines, letters, NOW + 20)
    steps = [step for story in told for step in story.steps]
    assert sorted(map(str, {*lines})) == sorted(str(step.line) for step in steps if step.line)
    assert sorted(each.id for each in letters) == sorted(each.id for story in told for each in story.letters)
    for story in told:
        assert [step.at for step in story.steps] == sorted(step.at for step in story.steps)
        was_sent = {"reply_sent", "reply_already_sent"} & set(whats(story))
        assert (story.ending.place is Place.SENT) == bool(was_sent)
        assert (story.ending.place is Place.DEAD_LETTERED) == bool(story.letters and not was_sent)


class Log:
    """Finds lines as the search does, and notes what it was asked."""

    def __init__(self, *lines: LogLine) -> None:
        self.lines = lines
        self.asked: list[set[str]] = []

    def search(self, names: AbstractSet[str]) -> Iterable[LogLine]:
        self.asked.append(set(names))
        return [line for line in self.lines if {line.token, line.message_id, line.contact_id} & names]


def retried(message_id: str, token: str | None, contact_id: str | None = None) -> LogLine:
    return LogLine(NOW, "reply_retried", message_id, token, 1, contact_id=contact_id)


def held(letter_id: str, token: str | None, contact_id: str | None, first_id: str) -> LetterSummary:
    return LetterSummary(letter_id, token, contact_id, first_id, "NotFound", NOW)


def test_a_replays_message_leads_to_the_first_one_by_their_token() -> None:
    log = Log(retried("m-1", "t-1"), retried("m-2", "t-1"), retried("m-3", "t-3"))
    lines, _ = follow("m-2", [], log.search)
    assert {each.message_id for each in lines} == {"m-1", "m-2"}
    assert log.asked == [{"m-2"}, {"t-1"}]


def test_a_token_needs_one_search() -> None:
    log = Log(retried("m-1", "t-1"), retried("m-2", "t-1"))
    follow("t-1", [], log.search)
    assert log.asked == [{"t-1"}]


def test_a_contact_leads_to_its_replies_but_a_reply_not_to_its_contacts_other_ones() -> None:
    log = Log(retried("m-1", "t-1", "c-1"), retried("m-2", "t-2", "c-1"), retried("m-3", "t-1"))
    assert {each.message_id for each in follow("c-1", [], log.search)[0]} == {"m-1", "m-2", "m-3"}
    assert {each.message_id for each in follow("t-1", [], log.search)[0]} == {"m-1", "m-3"}


def test_letters_lead_to_lines_and_lines_to_letters() -> None:
    letters = [
        held("l-1", "t-1", "c-1", "m-1"),
        held("l-2", "t-1", "c-9", "m-2"),
        held("l-3", "t-3", "c-3", "m-3"),
    ]
    log = Log(retried("m-1", "t-1"), retried("m-2", "t-1"))
    for name in ("l-1", "t-1", "c-1", "m-1", "m-2"):
        lines, ours = follow(name, letters, log.search)
        assert {each.message_id for each in lines} == {"m-1", "m-2"}
        assert {each.id for each in ours} == {"l-1", "l-2"}


def test_a_message_whose_token_is_withheld_is_followed_by_its_id() -> None:
    log = Log(retried("m-1", None, "c-1"), retried("m-1", None), retried("m-2", None))
    lines, _ = follow("c-1", [], log.search)
    assert lines == {log.lines[0], log.lines[1]}
