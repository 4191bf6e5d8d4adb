"""Every state within small bounds: `make explore` goes through the large ones."""

import pytest

from tests.explore.__main__ import REPEATS, draft_worlds, four
from tests.explore.search import along, as_test, explore
from tests.explore.world import Budget, Repeat, Scenario

SMALL = {
    "one reply": Budget(1, 1, 1, 0),
    "one reply, a producer's token": Budget(1, 1, 1, 0),
    "a refused reply": Budget(1, 0, 1, 0),
    "two replies, one token": Budget(1, 0, 0, 0),
    "one reply, put twice": Budget(1, 0, 0, 0),
    "a killer and its neighbour": Budget(1, 0, 0, 0),
}

MOST = 50_000
"""States, several times what there are: with more, something goes round without an end."""


@pytest.mark.parametrize("repeat", REPEATS)
@pytest.mark.parametrize("name", SMALL)
def test_in_no_state_is_a_reply_lost_or_sent_twice(name: str, repeat: Repeat) -> None:
    for variation in (False, True):
        scenario = Scenario(name, repeat, SMALL[name], variation, variation, sqs_moves=variation)
        found = explore(scenario, MOST)
        assert found.broken is None, as_test(scenario, found)
        assert 100 < found.states < MOST


SMALL_DRAFTS = {
    "a drafted reply": Budget(1, 0, 0, 1),
    "a refused drafted reply": Budget(1, 0, 0, 1),
    "a drafted reply, a producer's token": Budget(0, 1, 0, 1),
}


@pytest.mark.parametrize("name", SMALL_DRAFTS)
def test_in_no_state_does_a_draft_break_the_promise(name: str) -> None:
    for scenario in four(draft_worlds(name, SMALL_DRAFTS[name])):
        found = explore(scenario, MOST)
        assert found.broken is None, as_test(scenario, found)
        assert 100 < found.states < MOST


def test_a_lost_table_breaks_the_promise_in_the_named_circumstances_alone() -> None:
    for scenario in four(draft_worlds("a drafted reply", Budget(1, 0, 0, 1), loses_table=True)):
        found = explore(scenario, MOST)
        assert found.broken is None, as_test(scenario, found)
        assert not found.is_cut


def test_what_is_named_as_known_is_met() -> None:
    """Or the documents say too much, and the search sees too little."""
    two = explore(Scenario("two replies, one token", "200", Budget(0, 0, 0, 0)))
    hole = explore(Scenario("one reply", "409", Budget(2, 0, 0, 0), remembers_refusals=True))
    assert two.known
    assert hole.known


def test_a_counterexample_is_a_test_that_can_be_run() -> None:
    scenario = Scenario("one reply", "409", Budget(1, 0, 0, 0))
    way = ["received: one (1)", "function: Connect's answer is lost", "function: Connect answers 409"]
    assert along(scenario, way) is None
    with pytest.raises(AssertionError, match="nothing that may happen"):
        along(scenario, ["the sky falls"])
